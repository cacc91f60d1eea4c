"""Result files: folders that must exist, what a run wrote, whether it is whole, and its packing for upload.

A full disk cuts SUMO's files silently (exit code 0), so every file is looked at before it is called a result.
"""

import gzip
import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from simulations.sumo.inputs.output_rules import NamedOutput

CHUNK = 1024 * 1024
GZIP_LEVEL = 6
TEXT_SUFFIXES = (".xml", ".csv", ".txt", ".json", ".log", ".net", ".out", ".geojson")
MAX_NAME = 200

_HEADER = re.compile(rb"\A((?:\xef\xbb\xbf)?<\?xml[^>]*\?>\s*)<!-- generated on .*?-->\s*", re.DOTALL)
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)

Listing = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class ResultFile:
    """One artifact. `raw_bytes` is its size before packing; `intact` is None where no check is known."""

    name: str
    path: Path
    bytes: int
    raw_bytes: int
    intact: bool | None
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "bytes": self.bytes,
            "raw_bytes": self.raw_bytes,
            "intact": self.intact,
            "sha256": self.sha256,
        }


def listing(root: Path) -> Listing:
    """Regular files below `root`: {path relative to it: (size, mtime in ns)}."""
    files: Listing = {}
    for parent, _, names in os.walk(root):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                status = path.stat()
                files[path.relative_to(root).as_posix()] = (status.st_size, status.st_mtime_ns)
    return files


def written_since(root: Path, before: Listing) -> list[str]:
    """Files that are new or changed, sorted."""
    return sorted(name for name, state in listing(root).items() if before.get(name) != state)


def usable_name(name: str) -> bool:
    """Whether a file that the scenario wrote can be an artifact's name."""
    return len(name) <= MAX_NAME and name.isprintable() and "\\" not in name


def make_output_folders(root: Path, outputs: Iterable[NamedOutput]) -> None:
    """Zips carry no empty folders and SUMO makes none, so those that outputs are written to are made here.

    What cannot be made SUMO will complain about.
    """
    for output in outputs:
        for folder in output.folders:
            with suppress(OSError):
                (root / folder).mkdir(parents=True, exist_ok=True)


def is_intact(path: Path) -> bool | None:
    """True or False where the format shows its end (XML, gz, Parquet), else None."""
    try:
        if path.suffix == ".parquet":
            return _parquet_is_whole(path)
        with path.open("rb") as stream:
            head = stream.read(64 * 1024)
        if head[:2] == b"\x1f\x8b":
            return _gz_is_whole(path)
        if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") or path.suffix == ".xml":
            return _xml_is_whole(path)
    except OSError:
        return False
    return None


def _xml_is_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(CHUNK)
        root = _ROOT.search(_COMMENT.sub(b"", head))
        stream.seek(max(0, path.stat().st_size - 4096))
        tail = stream.read().rstrip()
    if root is None:
        return False
    return tail.endswith(b"</" + root[1] + b">") or (tail.endswith(b"/>") and tail.rfind(b"<" + root[1]) >= 0)


def _gz_is_whole(path: Path) -> bool:
    try:
        with gzip.open(path) as stream:
            while stream.read(CHUNK):
                pass
    except (OSError, EOFError, zlib.error):
        return False
    return True


def _parquet_is_whole(path: Path) -> bool:
    if path.stat().st_size < 12:
        return False
    with path.open("rb") as stream:
        head = stream.read(4)
        stream.seek(-4, os.SEEK_END)
        return head == stream.read(4) == b"PAR1"


def pack(source: Path, name: str, folder: Path, *, drop_header: bool = False) -> ResultFile:
    """Make the artifact `name` from `source` in `folder`: text is gzipped (`.gz` is added), the rest taken as it is.

    `drop_header` leaves out the comment in which SUMO puts the date and the configuration, so that the same run gives
    the same bytes; effective.sumocfg has what it said. Raises OSError (a full disk).
    """
    raw_bytes = source.stat().st_size
    intact = is_intact(source)
    packable = source.suffix.lower() in TEXT_SUFFIXES
    target = folder / (f"{name}.gz" if packable else name)
    target.parent.mkdir(parents=True, exist_ok=True)
    if packable:
        with source.open("rb") as stream, target.open("wb") as raw, _gzip(raw) as packed:
            head = stream.read(CHUNK)
            packed.write(_HEADER.sub(rb"\1", head) if drop_header else head)
            shutil.copyfileobj(stream, packed, CHUNK)
        source.unlink()
    elif source != target:
        source.replace(target)
    return described(target, target.relative_to(folder).as_posix(), raw_bytes=raw_bytes, intact=intact)


def _gzip(raw: IO[bytes]) -> gzip.GzipFile:
    """No name and no time inside: the same content gives the same bytes."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=GZIP_LEVEL, mtime=0)


def described(path: Path, name: str, *, raw_bytes: int | None = None, intact: bool | None = None) -> ResultFile:
    """A file that is ready as it is."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return ResultFile(name, path, size, size if raw_bytes is None else raw_bytes, intact, digest)
