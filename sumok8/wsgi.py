"""The WSGI application that gunicorn serves."""

import os
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
    """Django's, with our request."""

    request_class = Utf8Request


django.setup(set_prefix=False)
application = Application()
