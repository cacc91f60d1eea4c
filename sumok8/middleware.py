"""What every request and every answer passes."""

import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from django.conf import settings
from django.contrib.auth import get_user
from django.core.exceptions import SuspiciousOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, UnreadablePostError

from simulations import files
from sumok8 import errors
from sumok8.addresses import client_address
from tenants.acting import ADMIN, API, PAGES, acting
from tenants.models import ApiKey

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


class ClientAddressMiddleware:
    """REMOTE_ADDR becomes the client's own address, as trusted proxies tell it.

    The lock-out at the sign-in, the limit of failed keys and the access log all read it there.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.META["REMOTE_ADDR"] = client_address(
            request.META.get("REMOTE_ADDR", ""),
            request.META.get("HTTP_X_FORWARDED_FOR", ""),
            settings.TRUSTED_PROXIES,
        )
        return self.get_response(request)


class PlainTextMiddleware:
    """Cookies and what pages are asked hold no NUL character, which PostgreSQL can neither store nor compare: the admin
    hands them on as they are. (The API's fields and parsers have rules of their own.)"""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        for name in [name for name, value in request.COOKIES.items() if "\0" in name + value]:
            del request.COOKIES[name]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if getattr(view, "csrf_exempt", False):  # as all views of the API are
            return None
        if "\0" in request.path_info:
            raise Http404
        try:
            sent = [*request.GET.lists(), *request.POST.lists()]
        except UnreadablePostError as error:
            return errors.bad_request(request, error)
        if any("\0" in text for name, values in sent for text in (name, *values)):
            return errors.bad_request(request, SuspiciousOperation("NUL in a form"))
        return None


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


class ActingMiddleware:
    """Changes that a request makes are its caller's: a key's, or whoever is signed in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with acting(lambda: _caller(request), lambda: _way(request)):
            return self.get_response(request)


def _caller(request: HttpRequest) -> str:
    key = getattr(request, "auth", None)  # the API's views say here who it was
    return f"key {key}" if isinstance(key, ApiKey) else get_user(request).get_username() or "nobody signed in"


def _way(request: HttpRequest) -> str:
    if getattr(request, "auth", None) or getattr(request.user, "scope", None):
        return API
    return ADMIN if request.path_info.startswith(("/admin/", "/cluster/")) else PAGES


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
        for store, folder in files.folders().items():
            if not path.is_relative_to(folder):
                continue
            response["X-Accel-Redirect"] = f"/-/files/{store}/{quote(path.relative_to(folder).as_posix())}"
            del response["Content-Length"]
            response.file_to_stream.close()
            response.streaming_content = []
        return response
