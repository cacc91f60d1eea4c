"""Files that are made while they are sent: nothing of them is kept, in memory or on disk."""

import io
import zipfile
from collections.abc import Generator, Iterable
from contextlib import closing

WORTH_SENDING = 64 * 1024  # bytes
Member = tuple[zipfile.ZipInfo, Iterable[bytes]]


class Pipe(io.RawIOBase):
    """What was written since it was last drained. It cannot seek, so that a zip tells sizes after each file."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = self._drained = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._parts.append(bytes(data))
        self._written += len(data)
        return len(data)

    @property
    def waiting(self) -> int:
        return self._written - self._drained

    def drain(self) -> bytes:
        parts, self._parts, self._drained = self._parts, [], self._written
        return b"".join(parts)


def zipped(members: Generator[Member, None, None]) -> Generator[bytes, None, None]:
    """The zip of these files, each packed as its ZipInfo says."""
    pipe = Pipe()
    with closing(members), zipfile.ZipFile(pipe, "w") as packed:
        for info, content in members:
            with packed.open(info, "w", force_zip64=True) as part:
                for chunk in content:
                    part.write(chunk)
                    if pipe.waiting >= WORTH_SENDING:
                        yield pipe.drain()
    yield pipe.drain()
