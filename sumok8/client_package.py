"""The client for download: its sources with the rules it shares with the service, laid out as pip installs them."""

import hashlib
import io
import zipfile
from functools import cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

# As `client/pyproject.toml` names them, below the folder in which both lie.
FOLDERS = ("client", "simulations/sumo/inputs", "simulations/sumo/protocol")
SUFFIXES = frozenset({".md", ".py", ".toml", ".tsv", ".typed", ".yaml", ".yml"})


@cache
def archive() -> bytes:
    """The same bytes for the same sources."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for folder in FOLDERS:
            for file in sorted((settings.BASE_DIR / folder).rglob("*")):
                if file.suffix in SUFFIXES and file.is_file():
                    name = file.relative_to(settings.BASE_DIR).as_posix()
                    target.writestr(zipfile.ZipInfo(name), file.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


@cache
def _etag() -> str:
    return f'"{hashlib.sha256(archive()).hexdigest()[:32]}"'


@require_safe
@cache_control(no_cache=True)
@condition(etag_func=lambda request: _etag())
def download(request: HttpRequest) -> HttpResponse:
    """`pip install "sumok8 @ https://…/client.zip#subdirectory=client"`."""
    headers = {"Content-Disposition": 'attachment; filename="sumok8-client.zip"'}
    return HttpResponse(archive(), content_type="application/zip", headers=headers)
