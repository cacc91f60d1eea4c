"""How long a request's body may be: decided from its address, type and length, before anything reads it or writes it to
disk. Without this, whoever has a cookie and no key could fill the disk: Django parses a form to check its CSRF token.

A body without a length (`Transfer-Encoding: chunked`) is read within the same bound, except where the length itself is
part of the request: results that a pod stores are 411 without it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

from simulations.api.runner import MAX_PROGRESS_BYTES
from simulations.api.uploads import FORM_BYTES
from simulations.api.urls import VERSIONS
from sumok8 import errors

UPLOADS = {"scenarios", VERSIONS, "t/<slug:tenant_id>/upload"}
ARTIFACT = "runner/jobs/<uuid:job_id>/artifacts/<path:name>"
PROGRESS = "runner/jobs/<uuid:job_id>/progress"


@dataclass(frozen=True)
class BodyBound:
    """What an address takes: bytes, and whether it needs to know their number beforehand."""

    bytes: int
    code: str = "too_large"
    needs_length: bool = False

    @classmethod
    def of(cls, match: ResolverMatch, method: str | None, content_type: str | None) -> "BodyBound":
        """Files come from tenants, to the API's address and to the page, and from pods; all else is JSON or forms."""
        match match.route, method, content_type:
            case route, "POST", "multipart/form-data" if route in UPLOADS:
                return cls(settings.SCENARIO_MAX_BYTES + FORM_BYTES, code="zip.too_big")
            case route, "PUT", _ if route == ARTIFACT:
                return cls(settings.JOB_MAX_OUTPUT_BYTES, needs_length=True)
            case route, _, _ if route == PROGRESS:
                return cls(MAX_PROGRESS_BYTES)
        return cls(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)


class BodyBoundMiddleware:
    """413 for an announced length beyond the address's bound; no more than the bound is read of one not announced.

    As `process_view`, since the address is known then, and before Django's CSRF check, which parses forms.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if request.resolver_match is None:
            return None
        bound = BodyBound.of(request.resolver_match, request.method, request.content_type)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            return self._without_length(request, bound)
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0  # what Django takes it for
        return errors.too_large(request, bound.bytes, bound.code) if length > bound.bytes else None

    @staticmethod
    def _without_length(request: HttpRequest, bound: BodyBound) -> HttpResponse | None:
        if bound.needs_length or not request.META.get("wsgi.input_terminated"):
            return errors.length_required(request)
        request._stream = BoundedStream(request.META["wsgi.input"], bound)  # type: ignore[assignment] # what it needs
        # Django and Django REST framework take a request without a length for one without a body.
        request.META["CONTENT_LENGTH"] = str(bound.bytes)
        return None


class BoundedStream:
    """A body that ends by itself, as Django reads it. Raises RequestDataTooBig beyond the bound."""

    def __init__(self, source: Any, bound: BodyBound) -> None:
        self._source, self._bound, self._left = source, bound, bound.bytes

    def read(self, size: int | None = -1, /) -> bytes:
        return self._checked(self._source.read(self._wanted(size)))

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._checked(self._source.readline(self._wanted(size)))

    def _wanted(self, size: int | None) -> int:
        """One byte more than may come tells that there are more."""
        return self._left + 1 if size is None or size < 0 else min(size, self._left + 1)

    def _checked(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise BodyTooLarge(self._bound)
        return data


class BodyTooLarge(RequestDataTooBig):
    """More came than the bound; `sumok8.errors.bad_request` answers 413."""

    def __init__(self, bound: BodyBound) -> None:
        super().__init__(f"The body is larger than {bound.bytes} bytes.")
        self.bytes, self.code = bound.bytes, bound.code


class NoFiles(FileUploadHandler):
    """The handler of every address that takes no files: what is sent as one is passed over, not kept."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        return None

    def file_complete(self, file_size: int) -> None:
        return None
