"""Request ids, the content security policy, rate limits told, stored files left to the proxy."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import structlog
from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]
CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


class RequestIdMiddleware:
    """Take the caller's `X-Request-ID` (1-64 of `[A-Za-z0-9._-]`) or make one; answer with it and log it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class ContentSecurityPolicyMiddleware:
    """Nothing inline, nothing from another host, on every page; and nothing kept on the way, unless an answer says
    that it may be."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CSP)
        response.setdefault("Cache-Control", "no-store")
        return response


class RateLimitHeadersMiddleware:
    """`X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds), where a request was counted."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if counted := getattr(request, "rate_limit", None):
            for name, value in zip(("Limit", "Remaining", "Reset"), counted, strict=True):
                response[f"X-RateLimit-{name}"] = str(value)
        return response


class SentByProxyMiddleware:
    """A stored file is named to nginx, which sends it: a client that reads it slowly holds no thread here."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if "sumok8.files_sent_by_proxy" not in request.META or not isinstance(response, FileResponse):
            return response
        # Always a whole file: the proxy keeps the header Range to itself.
        path = Path(str(getattr(response.file_to_stream, "name", "")))
        if path.is_relative_to(settings.MEDIA_ROOT):
            response["X-Accel-Redirect"] = f"/-/files/{quote(path.relative_to(settings.MEDIA_ROOT).as_posix())}"
            del response["Content-Length"]
            response.file_to_stream.close()
            response.streaming_content = []
        return response
