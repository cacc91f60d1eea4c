"""An upload's way from the socket to disk: hashed as it passes, cut off at its bound."""

import hashlib
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from rest_framework.request import Request

from tenants.errors import ApiError

FORM_BYTES = 64 * 1024  # the form around the file: boundaries, names, the other fields


class HashedFile(TemporaryUploadedFile):
    """A file on disk whose SHA-256 (hex) is known already."""

    sha256: str = ""


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Stops reading with 413 once a file is larger than SCENARIO_MAX_BYTES."""

    file: HashedFile

    def new_file(self, *args: Any, **kwargs: Any) -> None:
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
        return super().receive_data_chunk(raw_data, start)

    def file_complete(self, file_size: int) -> HashedFile:
        super().file_complete(file_size)
        self.file.sha256 = self._digest.hexdigest()
        return self.file


def prepare(request: Request) -> None:
    """Before the body is read: this address takes a file. `sumok8.bodies` has looked at its announced length."""
    request._request.upload_handlers = [BoundedUploadHandler(request._request)]
