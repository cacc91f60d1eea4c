"""The WSGI application that gunicorn serves."""

import os
import re
from collections.abc import Callable
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")

# `charset*=NAME''x` (RFC 2231) names a codec, which Python looks for; no type that is taken here has such a parameter.
EXTENDED = re.compile(r';[^;,="]*\*[^;,]*')


class Utf8Request(WSGIRequest):
    """All text is UTF-8, whatever a Content-Type says: Python has codecs (hex, undefined) that end in an error."""

    def __init__(self, environ: dict[str, Any]) -> None:
        for name in ("CONTENT_TYPE", "HTTP_ACCEPT"):
            if "*" in environ.get(name, ""):
                environ[name] = EXTENDED.sub("", environ[name])
        super().__init__(environ)

    def __repr__(self) -> str:
        """As logs show it: without the query, which may hold the secret of a link."""
        return f"<{type(self).__name__}: {self.method} {self.path!r}>"

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))

    def parse_file_upload(self, META: Any, post_data: Any) -> Any:
        """As `tenants.parsers.FormParser` does for the API."""
        try:
            return super().parse_file_upload(META, post_data)
        except TypeError as error:
            raise MultiPartParserError("A part's header cannot be read.") from error


class Application(WSGIHandler):
    """Django's, with what nginx tells (sumok8/nginx.conf): who called, and that it sends stored files itself.

    Only nginx can reach gunicorn's Unix socket; whoever comes by TCP has an address of his own and is not believed.
    """

    request_class = Utf8Request

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        if not environ.get("REMOTE_ADDR"):
            environ["REMOTE_ADDR"] = environ.pop("HTTP_X_PEER_ADDRESS", "")
            environ["sumok8.files_sent_by_proxy"] = True
        return super().__call__(environ, start_response)


django.setup(set_prefix=False)
application = Application()
