"""The WSGI application that gunicorn serves."""

import os
from collections.abc import Callable
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")


class Utf8Request(WSGIRequest):
    """All text is UTF-8, whatever a Content-Type says: Python has codecs (hex, undefined) that end in an error."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


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
