"""File names as configurations write them, found in an archive."""

from __future__ import annotations

import posixpath
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from simulations.sumo import config_rules


def resolve(base: str, written: str) -> str | None:
    """The archive path of a name written in a file of the folder `base`; None if it lies outside the archive."""
    if config_rules.is_outside(written):
        return None
    path = posixpath.normpath(posixpath.join(base, written))
    return None if path == ".." or path.startswith("../") else path


def decoded(written: str) -> str:
    """SUMO decodes %20 and the like in file options of configurations (and nowhere else)."""
    return unquote(written)


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
        slashed = written.replace("\\", "/")
        path = posixpath.normpath(posixpath.join(base, slashed))
        there = self._by_form.get(_form(path))
        if there is not None:
            reasons = []
            if slashed != written:
                reasons.append("write '/' instead of '\\'")
            if there != path:
                reasons.append("upper and lower case must match")
            return f"The archive has '{there}': {' and '.join(reasons) or 'write it so'}."
        elsewhere = self._by_name.get(posixpath.basename(_form(path)), [])
        if elsewhere:
            return f"The archive has '{elsewhere[0]}'."
        return None


def _form(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold()
