"""The guides in docs/ that tenants need, as pages; and what stands at the head of the API's description."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from sumok8 import markdown
from tenants.members import Member

FOLDER = settings.BASE_DIR / "docs"
# In the order of use.
GUIDES = {
    "reasons": "Reasons: why a job waits or failed",
    "studies": "Studies: many runs, one answer",
    "edges": "Traffic per edge",
    "webhooks": "Webhooks: to be told",
    "usage": "Usage and statements",
    "plans": "Plans and prices",
    "signing-in": "Signing in",
    "glossary": "Glossary",
}


@require_safe
@gzip_page
@cache_control(no_cache=True)
def docs(request: HttpRequest) -> HttpResponse:
    """The first five minutes, the guides, and Swagger UI over /schema; its stock template would need inline scripts,
    which our policy refuses."""
    base = request.build_absolute_uri("/").rstrip("/")
    return render(request, "sumok8/docs.html", {"guides": GUIDES.items(), "base": base, "places": _places(request)})


@require_safe
@gzip_page
@cache_control(no_cache=True)
def guide(request: HttpRequest, name: str) -> HttpResponse:
    """One of docs/."""
    if name not in GUIDES:
        raise Http404
    context = {"guides": GUIDES.items(), "here": name, "places": _places(request)}
    return render(request, "sumok8/guide.html", _guide(name) | context)


def _places(request: HttpRequest) -> Sequence[Member]:
    return Member.objects.places_of(request.user) if request.user.is_authenticated else ()


@cache
def _guide(name: str) -> dict[str, Any]:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    chapters = [(markdown.slug(title), title) for title in re.findall(r"^#{2,3} (.+)$", text, re.MULTILINE)]
    html = markdown.render(text, _link)
    return {"title": GUIDES[name], "html": mark_safe(html), "chapters": chapters}  # noqa: S308 - escaped there, and ours


def _link(address: str) -> str:
    """Between guides that are served; to a part of the page; to the web. Other files of the repository: nowhere."""
    if address.startswith(("https://", "#")):
        return address
    name, _, part = address.partition(".md")
    return reverse("guide", args=[name]) + part if name in GUIDES else ""
