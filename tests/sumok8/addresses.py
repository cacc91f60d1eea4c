"""Every address of the product, with values of the tests' own in place of its parts."""

import re
from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver

GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


def templates(resolver: URLResolver | None = None, before: str = "") -> Iterator[str]:
    """`/jobs/{job_id}/results/{name}` and so on, in the order of the urlconf."""
    for entry in (resolver or get_resolver()).url_patterns:
        text = before + _template(str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from templates(entry, text)
        elif isinstance(entry, URLPattern):
            yield "/" + text


def _template(pattern: str) -> str:
    text = CONVERTER.sub(r"{\1}", GROUP.sub(r"{\1}", pattern))
    return text.removeprefix("^").removesuffix("$").removesuffix(r"\Z")


def fill(template: str, values: Mapping[str, str], otherwise: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], otherwise), template)
