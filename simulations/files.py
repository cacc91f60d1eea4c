"""Where scenarios and results are kept: folders, or S3-compatible storage. The only module that knows which.

Names are derived from content hashes, so a file is never changed once it is there. A name says which storage has it:
`eu:results/…` is in the one that REGION_STORAGES calls `eu`, `results/…` in the default one. So a row knows its own,
wherever its tenant's home is by now.
"""

import base64
import errno
import hashlib
import io
import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import InvalidStorageError, storages

from tenants.database import give_connection_back
from tenants.errors import ApiError

logger = logging.getLogger(__name__)
LINK_LIFETIME_S = 600
NO_ROOM = 507
CHUNK = 1024 * 1024
DEFAULT = "default"
UNAVAILABLE = (OSError, BotoCoreError, ClientError, InvalidStorageError)
TIMED_OUT = (ConnectTimeoutError, ReadTimeoutError)
SILENCE_S = 30.0
_silent_until: dict[str, float] = {}  # time.monotonic() until which a storage is not asked, as it let callers wait


class BrokenUpload(Exception):
    """The bytes that came are not the bytes that were announced; nothing was stored."""


class Readable(Protocol):
    """Anything with `read(n)`: a request's body, an open file."""

    def read(self, size: int = -1, /) -> bytes: ...


class _Checked(io.RawIOBase):
    """Passes on `size` bytes of `source`, hashing them on the way; the end is an error unless all is as announced."""

    def __init__(self, source: Readable, size: int, sha256: str) -> None:
        self._source, self._left, self._sha256 = source, size, sha256
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            if self._digest.hexdigest() != self._sha256:
                raise BrokenUpload("The SHA-256 of the bytes that arrived is not the one announced.")
            return b""
        chunk = self._source.read(self._left if size < 0 else min(size, self._left))
        if not chunk:
            raise BrokenUpload(f"The body ended {self._left} bytes early.")
        self._left -= len(chunk)
        self._digest.update(chunk)
        return chunk


def stores() -> list[str]:
    """The names of all storages of files, the default one first."""
    return [DEFAULT, *(name for name in settings.STORAGES if name not in {DEFAULT, "staticfiles"})]


def folders() -> dict[str, Path]:
    """Of the storages that are a folder, by their names."""
    found = {name: storages[name] for name in stores()}
    return {name: Path(storage.path("")) for name, storage in found.items() if not _is_s3(storage)}


def placed(store: str, key: str) -> str:
    """The name of what a storage has under this key; no storage named: the default one."""
    return key if store in {"", DEFAULT} else f"{store}:{key}"


@contextmanager
def _storage(name: str, *, is_asked: bool = True) -> Iterator[tuple[Any, str]]:
    """The storage that has this name, and the name there; its own failures become a 503, since nothing the caller sent
    is wrong. Not `is_asked`: nothing goes over the network."""
    store, colon, key = name.partition(":")
    if not colon:
        store, key = DEFAULT, name
    waited = silent = False
    try:
        storage = storages[store]
        if is_asked and _is_s3(storage):
            give_connection_back()  # it may take a minute to answer
            _ask(store)
            waited = True
        yield storage, key
    except FileNotFoundError:
        raise
    except UNAVAILABLE as error:
        logger.warning("Storage %s failed: %s", store, error)
        silent = isinstance(error, TIMED_OUT)
        if is_full(error):
            raise no_room() from error
        raise _unavailable() from error
    finally:
        if silent:
            _silent_until[store] = time.monotonic() + SILENCE_S
        elif waited:  # whatever it answered
            _silent_until.pop(store, None)


def _ask(store: str) -> None:
    """Nobody waits for a storage that has just been silent; one caller tries again now and then.

    Raises ApiError 503.
    """
    now = time.monotonic()
    until = _silent_until.get(store)
    if until is not None and now < until:
        raise _unavailable()
    if until is not None:
        _silent_until[store] = now + SILENCE_S


def _unavailable() -> ApiError:
    message = "The storage of scenarios and results does not answer; try again."
    return ApiError(503, "storage.unavailable", message, headers={"Retry-After": "10"})


def forget_silence() -> None:
    """All storages are asked again."""
    _silent_until.clear()


def is_full(error: Exception) -> bool:
    """Whether a disk, a quota or a bucket has no room left."""
    if isinstance(error, ClientError):
        return bool(error.response["ResponseMetadata"].get("HTTPStatusCode") == NO_ROOM)
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def room_on_disk() -> Iterator[None]:
    """For what writes a file of its own: a full disk becomes 507 storage.full."""
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise no_room() from error
        raise


def no_room() -> ApiError:
    message = "There is no room left for this file; nothing of it was kept. The operator has to make room."
    return ApiError(NO_ROOM, "storage.full", message)


def scenario_name(sha256: str, *, store: str) -> str:
    """Where a scenario with this content is kept."""
    return placed(store, f"scenarios/{sha256[:2]}/{sha256}.zip")


def artifact_name(job_id: uuid.UUID, attempt: int, name: str, sha256: str, *, store: str) -> str:
    """Where a result is kept. The tenant's own name for it (`scenario/out/a.xml`) is hashed: as a path it could clash
    with another's."""
    hashed = hashlib.sha256(name.encode()).hexdigest()[:16]
    return placed(store, f"results/{job_id.hex}/{attempt}/{hashed}-{sha256}")


def has(name: str, size: int) -> bool:
    """Whether the file is there, whole."""
    try:
        with _storage(name) as (storage, key):
            return bool(storage.size(key) == size)
    except FileNotFoundError:
        return False


def arrived(name: str, size: int, sha256: str) -> bool:
    """Whether a file that was sent to storage itself is there with these very bytes.

    Storage that tells no checksum (it is older, or the sender gave none) is read.
    """
    with _storage(name) as (storage, key):
        if not _is_s3(storage):
            return has(name, size)
        client, where = storage.connection.meta.client, {"Bucket": storage.bucket_name, "Key": key}
        try:
            head = client.head_object(**where, ChecksumMode="ENABLED")
        except ClientError as error:
            if error.response["ResponseMetadata"].get("HTTPStatusCode") == 404:
                return False
            raise
        if head["ContentLength"] != size:
            return False
        if told := head.get("ChecksumSHA256"):
            return bool(told == checksum(sha256))
        digest = hashlib.sha256()
        with closing(client.get_object(**where)["Body"]) as content:
            for chunk in content.iter_chunks(CHUNK):
                digest.update(chunk)
        return digest.hexdigest() == sha256


def checksum(sha256: str) -> str:
    """A SHA-256 as the S3 API writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


def store(name: str, source: Readable, *, size: int, sha256: str) -> None:
    """Keep `size` bytes of `source` as `name`, all or nothing; memory use does not depend on the size.

    Raises BrokenUpload, ApiError 507 storage.full, 503 storage.unavailable.
    """
    content = File(_Checked(source, size, sha256))  # type: ignore[arg-type]
    with _storage(name) as (storage, key):
        if _is_s3(storage):
            storage.save(key, content)
            return
        part = f"{key}.{uuid.uuid4().hex}.part"
        try:
            storage.save(part, content)
            Path(storage.path(part)).replace(storage.path(key))
        except BaseException:
            storage.delete(part)
            raise


def open_file(name: str) -> File:
    """For reading. Raises FileNotFoundError."""
    with _storage(name) as (storage, key):
        found: File = storage.open(key, "rb")
        return found


def read(name: str, *, at_most: int) -> bytes:
    """The file's first `at_most` bytes. Raises FileNotFoundError, ApiError 503 storage.unavailable."""
    with _storage(name) as (storage, key), storage.open(key, "rb") as content:
        return bytes(content.read(at_most))


def delete(name: str) -> None:
    """Deleting what is not there is fine."""
    with _storage(name) as (storage, key):
        storage.delete(key)


def listdir(folder: str) -> tuple[list[str], list[str]]:
    """(folders, files) in a folder of a storage, `eu:results/…` or `results/…`; none if it is not there."""
    with _storage(folder) as (storage, key):
        try:
            found: tuple[list[str], list[str]] = storage.listdir(key)
        except FileNotFoundError:
            return [], []
        return found


def modified(name: str) -> datetime:
    """When it was stored. Raises FileNotFoundError."""
    with _storage(name) as (storage, key):
        at: datetime = storage.get_modified_time(key)
        return at


def download_link(name: str, save_as: str, *, head: bool = False) -> str | None:
    """A link that fetches the file (or its head) from storage itself for ten minutes, or None: then this service
    streams it."""
    disposition = f'attachment; filename="{save_as}"'
    kind = "application/octet-stream"
    operation = "head_object" if head else "get_object"
    return _presigned(operation, name, ResponseContentDisposition=disposition, ResponseContentType=kind)


def upload_link(name: str, size: int, *, sha256: str | None) -> str | None:
    """A link that takes one PUT of exactly `size` bytes under this name, or None: then this service takes the bytes.

    With `sha256` it takes these bytes alone, and the PUT must carry the header `x-amz-checksum-sha256`.
    """
    checked = {"ChecksumSHA256": checksum(sha256)} if sha256 else {}
    return _presigned("put_object", name, ContentLength=size, **checked)


def _is_s3(storage: Any) -> bool:
    return hasattr(storage, "bucket_name")


def _presigned(operation: str, name: str, **parameters: Any) -> str | None:
    with _storage(name, is_asked=False) as (storage, key):
        if not _is_s3(storage):
            return None
        sign: Callable[..., str] = storage.connection.meta.client.generate_presigned_url
        parameters |= {"Bucket": storage.bucket_name, "Key": key}
        return sign(operation, Params=parameters, ExpiresIn=LINK_LIFETIME_S)
