"""Files on their way to a caller. Their content is the tenant's, so a browser must only ever save it."""

import re
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponseBase, HttpResponseRedirect
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request

from simulations import files
from simulations.api.ranges import Part, asked_range
from tenants.errors import ApiError

RANGE = OpenApiResponse(OpenApiTypes.BINARY, description="The one range that `Range: bytes=…` asks for.")


class AnyType(DefaultContentNegotiation):
    """A file is what it is, whatever Accept says; errors are JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class RedirectKeepingMethod(HttpResponseRedirect):
    """307: the same method again at the other address."""

    status_code = 307


def send(
    request: Request | HttpRequest, name: str, *, save_as: str, sha256: str, redirect: type[HttpResponseRedirect]
) -> HttpResponseBase:
    """The file or a range of it, streamed, or a redirect to a link that storage itself answers.

    Raises ApiError 404 file.gone, 416, 503.
    """
    save_as = re.sub(r"[^A-Za-z0-9._ -]", "_", save_as.rsplit("/", 1)[-1]) or "result"
    if link := files.download_link(name, save_as, head=request.method == "HEAD"):
        return redirect(link)
    try:
        content = files.open_file(name)
    except FileNotFoundError:
        raise ApiError(404, "file.gone", "The file is no longer in storage.") from None
    size, etag = content.size, f'"{sha256}"'
    try:
        part = asked_range(request, size=size, etag=etag)
    except ApiError:
        content.close()
        raise
    response = FileResponse(
        Part(content, *part) if part else content,
        as_attachment=True,
        filename=save_as,
        content_type="application/octet-stream",
        status=206 if part else 200,
    )
    if part:
        first, length = part
        response["Content-Length"] = str(length)
        response["Content-Range"] = f"bytes {first}-{first + length - 1}/{size}"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["X-Content-SHA256"] = sha256
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
