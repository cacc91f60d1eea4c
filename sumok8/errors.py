"""One JSON shape for every error: `{"error": {"code", "message", "details"}}`."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from simulations.api.rewording import flat, reworded
from simulations.portal.access import menu_of, seat_of
from simulations.sumo.protocol.problems import listed_entries
from tenants.errors import BAD_HOST, UNAUTHORIZED, ApiError
from tenants.members import Member

CODES: dict[type[exceptions.APIException], tuple[str, str]] = {
    exceptions.AuthenticationFailed: ("unauthorized", UNAUTHORIZED),
    exceptions.NotAuthenticated: ("unauthorized", UNAUTHORIZED),
    exceptions.NotFound: ("not_found", "There is nothing at this address that your key can see."),
    exceptions.MethodNotAllowed: ("method_not_allowed", "This address does not take that method."),
    exceptions.NotAcceptable: ("not_acceptable", "Answers are JSON; send Accept: application/json."),
    exceptions.UnsupportedMediaType: ("unsupported_media_type", "Send the body as JSON, files as multipart/form-data."),
    exceptions.ParseError: ("malformed", "The body could not be read."),
}

TENANT_PAGE = re.compile(r"/t/([-a-zA-Z0-9_]+)(?:/|\Z)")
# Refused or broken connections, and none free in time.
DATABASE_AWAY = (OperationalError, InterfaceError)


def body(code: str, message: str, details: Iterable[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The JSON object of an error, however many details there are."""
    return {"error": {"code": code, "message": message, "details": listed_entries(details or ())}}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Django REST framework's EXCEPTION_HANDLER. None lets Django answer 500 through `server_error`."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, UnreadablePostError):
        error = exceptions.ParseError("It broke off, or is not what its Transfer-Encoding says.")
    if not isinstance(error, exceptions.APIException):
        return None
    headers = dict(getattr(error, "headers", {}))
    if auth_header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    set_rollback()
    return Response(_body_of(error), status=error.status_code, headers=headers)


def _body_of(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, ApiError):
        return body(error.code, error.message, error.details)
    if isinstance(error, exceptions.ValidationError):
        return body("invalid", "The request has errors; each is listed in details.", _details(error.detail))
    if isinstance(error, exceptions.PermissionDenied):
        return body("forbidden", str(error.detail))
    for kind, (code, message) in CODES.items():
        if isinstance(error, kind):
            details = [{"code": code, "message": str(error.detail)}] if kind is exceptions.ParseError else None
            return body(code, message, details)
    return body(str(error.get_codes()), str(error.detail))


def _details(detail: Any) -> Iterator[dict[str, Any]]:
    """A serializer's nested errors, one entry each."""
    for where, told in flat(detail):
        entry = {"code": getattr(told, "code", "invalid"), "message": reworded(str(told))}
        yield entry | {"where": where} if where else entry


def _wants_page(request: HttpRequest) -> bool:
    return request.accepts("text/html") and "text/html" in request.headers.get("Accept", "")


def _place(request: HttpRequest) -> dict[str, Any]:
    """Whose pages these are, as far as who is signed in may see them: an error keeps the menu."""
    user = getattr(request, "user", None)
    try:
        if user is None or not user.is_authenticated:
            return {}
        found = TENANT_PAGE.match(request.path_info)
        if found and (seat := seat_of(user, found[1])):
            return {"seat": seat, "menu": menu_of(request, seat)}
        return {"places": Member.objects.places_of(user)}
    except DATABASE_AWAY:
        return {}


def _other_spelling(request: HttpRequest) -> str | None:
    """Tenants' pages end without a slash, staff's with one; who typed it the other way is led on."""
    path = request.path_info
    if request.method not in {"GET", "HEAD"} or not path.startswith(("/t/", "/cluster/")):
        return None
    other = path.rstrip("/") if path.startswith("/t/") else f"{path.rstrip('/')}/"
    try:
        resolve(other)
    except Resolver404:
        return None
    query = request.META.get("QUERY_STRING", "")
    return None if other == path else f"{other}?{query}" if query else other


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: a request that Django itself refused, such as a wrong Host header or too long a form."""
    if isinstance(exception, RequestDataTooBig):
        most = getattr(exception, "bytes", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        return too_large(request, most, getattr(exception, "code", "too_large"))
    if isinstance(exception, DisallowedHost):
        return JsonResponse(body("bad_host", BAD_HOST), status=400)
    if _wants_page(request):
        return render(request, "400.html", _place(request), status=400)
    return JsonResponse(body("bad_request", "The request could not be understood."), status=400)


def too_large(request: HttpRequest, most: int, code: str = "too_large") -> HttpResponse:
    """A body beyond the `most` bytes that its address takes."""
    if _wants_page(request):
        return render(request, "413.html", status=413)
    return JsonResponse(body(code, f"The body is larger than the {most} bytes that this address takes."), status=413)


def length_required(request: HttpRequest) -> HttpResponse:
    """A body whose length must be known before it is read."""
    message = (
        "Send the body with a Content-Length; this address does not take one without (Transfer-Encoding: chunked)."
    )
    return JsonResponse(body("length_required", message), status=411)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if _wants_page(request):
        return render(request, "403.html", _place(request), status=403)
    return JsonResponse(body("forbidden", "You may not do this."), status=403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW; the reason is in the log. What is refused here is a form, so its sender is a browser,
    unless it shows that it is a program."""
    accepted = request.headers.get("Accept", "")
    is_program = "Authorization" in request.headers or request.content_type == "application/json" or "json" in accepted
    if is_program and not _wants_page(request):
        return JsonResponse(body("forbidden", "This address takes forms of its own pages only."), status=403)
    return render(request, "403_csrf.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    if _wants_page(request):
        if (address := _other_spelling(request)) is not None:
            return redirect(address)
        return render(request, "404.html", _place(request), status=404)
    message = CODES[exceptions.NotFound][1]
    return JsonResponse(body("not_found", message), status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: the cause is in the log under the answer's X-Request-ID."""
    if isinstance(sys.exception(), DATABASE_AWAY):
        return database_unreachable(request)
    if _wants_page(request):
        return defaults.server_error(request)
    message = "Something went wrong on our side; tell the operator the X-Request-ID of this answer."
    return JsonResponse(body("internal", message), status=500)


def database_unreachable(request: HttpRequest) -> HttpResponse:
    """Not an error of ours to report but a moment to wait out."""
    if _wants_page(request):  # without the request: naming who is signed in needs the database
        response = HttpResponse(render_to_string("503.html"), status=503)
    else:
        message = "The database does not answer; try again in a moment."
        response = JsonResponse(body("database_unreachable", message), status=503)
    response["Retry-After"] = "5"
    return response
