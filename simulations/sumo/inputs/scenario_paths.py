"""File names as configurations write them, found in an archive."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote

MAX_PATH_CHARS = 1024
MAX_NAME_BYTES = 255


class Walk(NamedTuple):
    """Where a written name leads: `path` below the root, and every folder that it passes through, outermost first."""

    path: str
    folders: tuple[str, ...]


def walk(base: str, written: str) -> Walk | None:
    """The way from the folder `base` to a written name; None if it leaves the root.

    As the system walks it: `gone/../net.xml` passes through `gone`, which must exist.
    """
    if is_outside(written):
        return None
    here = base.split("/") if base else []
    folders: list[str] = []
    *between, name = written.split("/")
    for part in between:
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return None
            here.pop()
        else:
            here.append(part)
            folders.append("/".join(here))
    if name == "..":
        if not here:
            return None
        here.pop()
    elif name not in ("", "."):
        here.append(name)
    return Walk("/".join(here), tuple(dict.fromkeys(folders)))


def is_outside(value: str) -> bool:
    """Whether a file name is absolute, on Linux or on Windows."""
    return value.startswith(("/", "\\")) or value[1:2] == ":" or "://" in value


def is_too_long(value: str) -> bool:
    """Whether no file can have this name."""
    return len(value) > MAX_PATH_CHARS or any(len(part.encode()) > MAX_NAME_BYTES for part in value.split("/"))


def decoded(written: str) -> str:
    """SUMO decodes %20 and the like in file options of configurations (and nowhere else)."""
    return unquote(written)


def folders_of(paths: Iterable[str]) -> set[str]:
    """Every folder that these files lie in, at any depth."""
    found: set[str] = set()
    for path in paths:
        folder = posixpath.dirname(path)
        while folder and folder not in found:
            found.add(folder)
            folder = posixpath.dirname(folder)
    return found


class NearMisses:
    """What somebody may have meant who named a file that is not there."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_form: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = {}
        for path in paths:
            form = _form(path)
            self._by_form.setdefault(form, path)
            self._by_name.setdefault(posixpath.basename(form), []).append(path)

    def hint(self, base: str, written: str) -> str | None:
        """A sentence, or None if nothing is near."""
        if len(written) > MAX_PATH_CHARS:
            return "Separate the names of files with commas." if _separators(written) else None
        there = self._find(base, written)
        if there is not None:
            return f"The archive has '{there}': {' and '.join(_differences(base, written, there)) or 'write it so'}."
        for separator in _separators(written):
            if any(self._find(base, part) for part in written.split(separator)):
                instead = "spaces" if separator == " " else "';'"
                return f"Separate the names of files with commas, not with {instead}."
        elsewhere = self._by_name.get(posixpath.basename(_form(_slashed(base, written))), [])
        return f"The archive has '{elsewhere[0]}'." if elsewhere else None

    def _find(self, base: str, written: str) -> str | None:
        return self._by_form.get(_form(_slashed(base, written)))


def _slashed(base: str, written: str) -> str:
    return posixpath.normpath(posixpath.join(base, written.replace("\\", "/")))


def _differences(base: str, written: str, there: str) -> Iterator[str]:
    path = _slashed(base, written)
    if "\\" in written:
        yield "write '/' instead of '\\'"
    if path == there:
        way = walk(base, written)
        if way and way.folders:
            yield f"there is no folder to go through in '{written}'"
    elif unicodedata.normalize("NFC", path) == unicodedata.normalize("NFC", there):
        yield "its letters with accents are stored in another form, so rename it, without accents at best"
    else:
        yield "upper and lower case must match"


def _separators(written: str) -> list[str]:
    return [separator for separator in (";", " ") if separator in written]


def _form(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
