"""Zip archives from strangers: checked before use, read within bounds, unpacked without trusting their headers.

The zip format repeats itself (a directory at the end, a header before each file), so a hostile archive can say two
things at once. Python's zipfile compares the names and never returns more bytes than the directory says; what it leaves
open is closed here: the size of the directory, overlapping files, links, encryption, names and compression methods.
"""

from __future__ import annotations

import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Union, cast

from ..protocol.problems import InvalidScenario, Problem, ProblemList
from .scenario_paths import folders_of

CHUNK = 64 * 1024
MAX_LISTED = 20
MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 1024
MAX_PATH_PARTS = 32
# A directory entry takes 46 bytes plus its name, comment and extra fields.
MAX_DIRECTORY_BYTES_PER_FILE = 512
# Below this no ratio is worth refusing: a small archive of one repetitive file.
RATIO_MATTERS_FROM_BYTES = 100 * 1024**2
LOCAL_HEADER_BYTES = 30
LOCAL_HEADER = b"PK\x03\x04"
ENCRYPTED = 0x1 | 0x40 | 0x2000
SAYS_UTF_8 = 0x800
UNPRINTABLE = re.compile("[\x00-\x1f\x7f]")

Source = Union[Path, str, BinaryIO]


@dataclass(frozen=True)
class ArchiveLimits:
    """The most an archive may hold. `ratio` is unpacked bytes per packed byte of the whole archive."""

    bytes: int = 200 * 1024**2
    files: int = 5_000
    unpacked_bytes: int = 2 * 1024**3
    ratio: float = 200.0


class Archive:
    """An open archive. `files` maps the safe path of each member that may be read to its unpacked bytes, `folders` are
    those they lie in and those that the archive has by name; `problems` is everything wrong with the others and the
    whole."""

    def __init__(self, zip_file: zipfile.ZipFile, size: int, limits: ArchiveLimits) -> None:
        self._zip = zip_file
        self.members, empty, self.problems = _examine(zip_file.infolist(), size, limits)
        self.files = {path: member.file_size for path, member in self.members.items()}
        self.folders = folders_of([*self.files, *(f"{folder}/." for folder in empty)])
        self.unpacked_bytes = sum(self.files.values())

    def chunks(self, path: str) -> Iterator[bytes]:
        """The unpacked bytes of one file, at most CHUNK at a time. Raises InvalidScenario if it is damaged."""
        try:
            with self._zip.open(self.members[path]) as member:
                while chunk := member.read(CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
            raise _damaged(path) from error

    def packed_chunks(self, path: str) -> Iterator[bytes]:
        """The packed bytes of one file, at most CHUNK at a time. Raises InvalidScenario if they are not there."""
        file, member = self._zip.fp, self.members[path]
        assert file is not None
        file.seek(member.header_offset)
        header = file.read(LOCAL_HEADER_BYTES)
        if len(header) < LOCAL_HEADER_BYTES or not header.startswith(LOCAL_HEADER):
            raise _damaged(path)
        name_bytes, extra_bytes = struct.unpack_from("<HH", header, LOCAL_HEADER_BYTES - 4)
        file.seek(name_bytes + extra_bytes, io.SEEK_CUR)
        left = member.compress_size
        while left:
            chunk = file.read(min(left, CHUNK))
            if not chunk:
                raise _damaged(path)
            left -= len(chunk)
            yield chunk


@contextmanager
def open_archive(source: Source, limits: ArchiveLimits) -> Iterator[Archive]:
    """Open an archive to read it in place; a file that was given stays open.

    Raises InvalidScenario only if nothing in it can be read (`zip.unreadable`, `zip.too_big` in packed bytes,
    `zip.too_many_files`); all else is in `Archive.problems`.
    """
    if isinstance(source, (Path, str)):
        with Path(source).open("rb") as file, open_archive(file, limits) as archive:
            yield archive
        return
    size = source.seek(0, io.SEEK_END)
    if size > limits.bytes:
        message = f"The archive is {size} bytes; at most {limits.bytes} are allowed."
        raise InvalidScenario([Problem("zip.too_big", message)])
    bounded = _BoundedReads(source, limits.files * MAX_DIRECTORY_BYTES_PER_FILE + CHUNK)
    try:
        zip_file = zipfile.ZipFile(cast(BinaryIO, bounded))
    except _DirectoryTooBigError as error:
        raise InvalidScenario([_too_many_files(limits)]) from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError, OverflowError) as error:
        message = "The file is not a zip archive, or it is damaged."
        raise InvalidScenario([Problem("zip.unreadable", message, hint="Upload the scenario as a .zip.")]) from error
    with zip_file:
        yield Archive(zip_file, size, limits)


def check(source: Source, limits: ArchiveLimits) -> list[Problem]:
    """Everything wrong with the archive, from its directory alone (no member is unpacked); empty if it is fine."""
    try:
        with open_archive(source, limits) as archive:
            return archive.problems
    except InvalidScenario as error:
        return list(error.problems)


def unpack(source: Source, target: Path, limits: ArchiveLimits) -> list[str]:
    """Unpack into the folder `target` (new or empty) and return the files' paths relative to it, sorted.

    The rules are those of `check`, plus the checksums are verified; no member gives more bytes than `check` counted.
    Raises InvalidScenario; what was unpacked until then stays in `target`.
    """
    with open_archive(source, limits) as archive:
        if archive.problems:
            raise InvalidScenario(archive.problems)
        target.mkdir(parents=True, exist_ok=True)
        for folder in archive.folders:
            (target / folder).mkdir(parents=True, exist_ok=True)
        for path in archive.files:
            place = target / path
            # O_EXCL: never through a link, never over another file.
            handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            with os.fdopen(handle, "wb") as file:
                for chunk in archive.chunks(path):
                    file.write(chunk)
        return sorted(archive.files)


class _DirectoryTooBigError(Exception):
    pass


class _BoundedReads(io.RawIOBase):
    """A file of which no single read may be large: zipfile reads the archive's whole directory at once."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self._most = most

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            here = self._file.tell()
            size = self._file.seek(0, io.SEEK_END) - here
            self._file.seek(here)
        if size > self._most:
            raise _DirectoryTooBigError
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _examine(
    members: list[zipfile.ZipInfo], size: int, limits: ArchiveLimits
) -> tuple[dict[str, zipfile.ZipInfo], list[str], list[Problem]]:
    """The members that may be read by safe path, the paths of folders, and the problems of the rest (at most
    MAX_LISTED, then a count)."""
    problems = ProblemList(MAX_LISTED)
    files: dict[str, zipfile.ZipInfo] = {}
    folders: list[str] = []
    seen: Counter[str] = Counter()
    if len(members) > limits.files:
        problems.add(_too_many_files(limits))
    for member in members[: limits.files]:
        path = _name(member).replace("\\", "/")  # written so by some Windows programs
        if _is_clutter(path):
            continue
        problem = _member_problem(member, path)
        if problem is not None:
            problems.add(problem)
            continue
        plain = "/".join(part for part in path.split("/") if part not in ("", "."))
        if path.endswith("/"):
            folders.append(plain)
        else:
            seen[plain] += 1
            files[plain] = member
    problems.extend(_clashes(seen))
    problems.extend(_sizes(list(files.values()), size, limits))
    return files, folders, list(problems.all())


def _name(member: zipfile.ZipInfo) -> str:
    """The name, which macOS and others write in UTF-8 without saying so."""
    if member.flag_bits & SAYS_UTF_8 or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _member_problem(member: zipfile.ZipInfo, path: str) -> Problem | None:
    shown = path.encode("unicode_escape", "backslashreplace").decode("ascii")[:200]
    kind = stat.S_IFMT(member.external_attr >> 16)
    parts = path.rstrip("/").split("/")
    if path.startswith("/") or ".." in parts or path[1:2] == ":":
        hint = "Zip the scenario's folder itself, so that every path is relative to it."
        return Problem("zip.path_escape", f"'{shown}' points outside the archive.", shown, hint)
    if not path.strip("/.") or UNPRINTABLE.search(member.orig_filename):
        return Problem("zip.bad_name", f"'{shown}' cannot be the name of a file.", shown)
    if kind == stat.S_IFLNK:
        hint = "Put the file itself into the archive (zip without --symlinks)."
        return Problem("zip.symlink", f"'{shown}' is a symbolic link.", shown, hint)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return Problem("zip.special_file", f"'{shown}' is neither a file nor a folder.", shown)
    if (
        len(path.encode()) > MAX_PATH_BYTES
        or len(parts) > MAX_PATH_PARTS
        or any(len(part.encode()) > MAX_NAME_BYTES for part in parts)
    ):
        return Problem("zip.bad_name", f"'{shown}' is too long or too deep for the name of a file.", shown)
    if member.flag_bits & ENCRYPTED:
        return Problem("zip.encrypted", f"'{shown}' is encrypted.", shown, "Make the zip without a password.")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # bzip2 and LZMA unpack without a bound on memory.
        hint = "Make the zip with the usual method (deflate)."
        return Problem("zip.compression", f"'{shown}' is packed with an unusual method.", shown, hint)
    return None


def _is_clutter(path: str) -> bool:
    """What macOS and Windows add to archives and no simulation reads."""
    parts = path.split("/")
    name = parts[-1]
    return "__MACOSX" in parts or name.startswith("._") or name in (".DS_Store", "Thumbs.db", "desktop.ini")


def _clashes(seen: Counter[str]) -> Iterator[Problem]:
    """Names that occur twice, and files that are folders of other files."""
    for path, times in seen.items():
        if times > 1:
            yield Problem("zip.duplicate_name", f"'{path}' is in the archive {times} times.", path)
    for path in sorted(folders_of(seen) & seen.keys()):
        yield Problem("zip.duplicate_name", f"'{path}' is both a file and a folder.", path)


def _sizes(members: list[zipfile.ZipInfo], size: int, limits: ArchiveLimits) -> Iterator[Problem]:
    unpacked = sum(member.file_size for member in members)
    if unpacked > limits.unpacked_bytes:
        yield _too_big_unpacked(limits)
    elif unpacked > RATIO_MATTERS_FROM_BYTES and unpacked > limits.ratio * size:
        message = f"The archive unpacks to {unpacked // size} times its size; at most {limits.ratio:g} is allowed."
        yield Problem("zip.ratio", message)
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            yield Problem("zip.overlap", "Files of the archive overlap each other.", hint="Make the zip again.")
            return
        end = member.header_offset + LOCAL_HEADER_BYTES + len(member.orig_filename) + member.compress_size


def _damaged(path: str) -> InvalidScenario:
    message = f"'{path}' is damaged inside the archive."
    return InvalidScenario([Problem("zip.unreadable", message, path, "Make the zip again and upload it anew.")])


def _too_many_files(limits: ArchiveLimits) -> Problem:
    return Problem("zip.too_many_files", f"The archive holds more than {limits.files} files.")


def _too_big_unpacked(limits: ArchiveLimits) -> Problem:
    return Problem("zip.too_big", f"The archive unpacks to more than {limits.unpacked_bytes} bytes.")
