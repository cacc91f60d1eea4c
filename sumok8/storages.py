"""Where files may be kept, as Django's STORAGES has it: a folder or a bucket, and one of either for each region."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
TAKEN = {"default", "staticfiles"}
ASKED = {"region", "endpoint", "addressing_style"}


def folder(location: Path) -> dict[str, Any]:
    return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(location)}}


def bucket(
    name: str, *, endpoint: str = "", region: str = "", key: str = "", secret: str = "", addressing_style: str = ""
) -> dict[str, Any]:
    """S3-compatible; what is empty is as the environment or the machine's role says."""
    from botocore.config import Config  # it is large, and most processes need none of it

    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "endpoint_url": endpoint or None,
            "region_name": region or None,
            "access_key": key or None,
            "secret_key": secret or None,
            # Slow or gone, it is told within a minute, while whoever uploads still waits.
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": addressing_style or "auto"},
                connect_timeout=5,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
            "default_acl": None,
            "file_overwrite": True,
            "querystring_expire": 600,
            "max_memory_size": 4 * 1024**2,  # of a file that is read here; the rest goes to the disk
        },
    }


def of_regions(text: str, *, apart_from: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """`eu=/srv/eu, us=s3://key:secret@bucket?region=us-east-1` as storages by name.

    No two may be one place, nor one inside another: what a storage lists and no row of its own names is deleted in
    time. Messages name no address, since it may hold a secret. Raises ImproperlyConfigured.
    """
    found: dict[str, dict[str, Any]] = {}
    for entry in filter(None, (part.strip() for part in text.replace("\n", ",").split(","))):
        name, _, where = (part.strip() for part in entry.partition("="))
        if not NAME.fullmatch(name) or name in TAKEN | found.keys():
            raise ImproperlyConfigured("REGION_STORAGES is name=where,…: names of a-z, 0-9 and -, each once.")
        found[name] = _place(name, where)
        for other, known in [("the default", apart_from), *found.items()]:
            if other != name and _overlap(found[name]["OPTIONS"], known["OPTIONS"]):
                raise ImproperlyConfigured(f"REGION_STORAGES: {name} and {other} are the same place or one in another.")
    return found


def _place(name: str, where: str) -> dict[str, Any]:
    if where.startswith("/"):
        return folder(Path(where))
    try:
        parts = urlsplit(where)
        asked = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError:
        parts, asked = urlsplit(""), {}
    if parts.scheme != "s3" or not parts.hostname or parts.path.strip("/") or asked.keys() - ASKED:
        hint = f"an absolute path or s3://key:secret@bucket?…, of {', '.join(sorted(ASKED))}"
        raise ImproperlyConfigured(f"REGION_STORAGES: {name} must be {hint}.")
    return bucket(parts.hostname, key=unquote(parts.username or ""), secret=unquote(parts.password or ""), **asked)


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if "location" in one and "location" in other:
        first, second = Path(one["location"]).resolve(), Path(other["location"]).resolve()
        return first.is_relative_to(second) or second.is_relative_to(first)
    return "bucket_name" in one and _bucket_of(one) == _bucket_of(other)


def _bucket_of(options: dict[str, Any]) -> tuple[Any, Any]:
    return options.get("bucket_name"), options.get("endpoint_url")
