"""Files of a job as one zip, made while it is sent: nothing of it is kept, in memory or on disk."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import UTC

from simulations import files
from simulations.models import Artifact
from tenants.errors import ApiError

MOST_FILES = 1000
MOST_BYTES = 4 * 1024**3
GONE = "no-longer-in-storage.txt"


class _Pipe(io.RawIOBase):
    """What was written since it was last drained. It cannot seek, so that the zip tells sizes after each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        return len(data)

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


def why_not(artifacts: Sequence[Artifact]) -> str:
    """Why these are too much for one zip; empty if they are not."""
    if len(artifacts) > MOST_FILES:
        return f"more than {MOST_FILES} files"
    size = sum(artifact.size_bytes for artifact in artifacts)
    return f"more than {MOST_BYTES // 1024**3} GiB" if size > MOST_BYTES else ""


def zipped(artifacts: Sequence[Artifact]) -> Iterator[bytes]:
    """Stored as they are, most of them are packed already."""
    pipe, gone = _Pipe(), []
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as packed:
        for artifact in artifacts:
            try:
                content = files.open_file(str(artifact.file))
            except (FileNotFoundError, ApiError):
                gone.append(artifact.name)
                continue
            made_at = artifact.uploaded_at.astimezone(UTC).timetuple()[:6]
            with content, packed.open(zipfile.ZipInfo(artifact.name, made_at), "w", force_zip64=True) as part:
                for chunk in content.chunks():
                    part.write(chunk)
                    yield pipe.drain()
        if gone:
            packed.writestr(GONE, "\n".join(gone) + "\n")
    yield pipe.drain()
