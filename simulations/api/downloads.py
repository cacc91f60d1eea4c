"""Files on their way to a caller. Their content is the tenant's, so a browser must only ever save it."""

import re
from typing import Any

from django.http import FileResponse, HttpResponseBase, HttpResponseRedirect
from rest_framework.negotiation import DefaultContentNegotiation

from simulations import files
from tenants.errors import ApiError


class AnyType(DefaultContentNegotiation):
    """A file is what it is, whatever Accept says; errors are JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class RedirectKeepingMethod(HttpResponseRedirect):
    """307: the same method again at the other address."""

    status_code = 307


def send(name: str, *, save_as: str, sha256: str, redirect: type[HttpResponseRedirect]) -> HttpResponseBase:
    """The file, streamed, or a redirect to a link that storage itself answers."""
    save_as = re.sub(r"[^A-Za-z0-9._ -]", "_", save_as.rsplit("/", 1)[-1]) or "result"
    if link := files.download_link(name, save_as):
        return redirect(link)
    try:
        content = files.open_file(name)
    except FileNotFoundError:
        raise ApiError(404, "file.gone", "The file is no longer in storage.") from None
    response = FileResponse(content, as_attachment=True, filename=save_as, content_type="application/octet-stream")
    response["X-Content-SHA256"] = sha256
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
