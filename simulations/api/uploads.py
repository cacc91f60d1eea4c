"""An upload's way from the socket to disk: hashed as it passes, cut off at its bound."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import QueryDict
from rest_framework.request import Request

from simulations import files
from simulations.sumo.protocol.problems import shown
from tenants.errors import ApiError

FORM_BYTES = 64 * 1024  # the form around the file: boundaries, names, the other fields


class HashedFile(TemporaryUploadedFile):
    """A file on disk whose SHA-256 (hex) is known already."""

    sha256: str = ""


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Stops reading with 413 once a file is larger than SCENARIO_MAX_BYTES, and with 400 at a second file."""

    file: HashedFile
    _files = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self._files += 1
        if self._files > 1:
            raise ApiError(400, "upload.two_files", "The form holds two files; send one, in the field 'file'.")
        super().new_file(*args, **kwargs)
        self.file = HashedFile(self.file_name or "", self.content_type, 0, self.charset, self.content_type_extra)
        self._digest, self._received = hashlib.sha256(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self._received += len(raw_data)
        if self._received > settings.SCENARIO_MAX_BYTES:
            self.file.close()
            message = f"A scenario may have at most {settings.SCENARIO_MAX_BYTES} bytes."
            raise ApiError(413, "zip.too_big", message)
        self._digest.update(raw_data)
        with self._room_on_disk():
            return super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> HashedFile:
        with self._room_on_disk():
            super().file_complete(file_size)
        self.file.sha256 = self._digest.hexdigest()
        return self.file

    @contextmanager
    def _room_on_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            with suppress(OSError):  # closing writes what is left, in vain, and deletes
                self.file.close()
            if files.is_full(error):
                raise files.no_room() from error
            raise


def prepare(request: Request) -> None:
    """Before the body is read: this address takes a file. `sumok8.bodies` has looked at its announced length."""
    request._request.upload_handlers = [BoundedUploadHandler(request._request)]


def refuse_repeated(form: Any) -> None:
    """Of a field that is given twice one value would be taken, and nobody would know which."""
    lists = form.lists() if isinstance(form, QueryDict) else ()  # without a body there is no form
    if repeated := [name for name, values in lists if len(values) > 1]:
        names = ", ".join(shown(name) for name in repeated[:5])
        raise ApiError(400, "upload.field_twice", f"These fields are given more than once: {names}.")
