"""What can be wrong with a scenario or a request, said with a stable code and a sentence for the person who sent it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MAX_TEXT = 1000
MAX_SHOWN = 100
MAX_LISTED = 50
# What PostgreSQL's jsonb and terminals refuse; line breaks stay.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or, in a list of warnings, worth knowing).

    `code` is stable and meant for programs (`input.missing`), `message` is a plain sentence, `where` the file or
    field it is about, `hint` what to do next. Texts quote what strangers wrote, so they are cut at MAX_TEXT letters
    and hold no control characters.
    """

    code: str
    message: str
    where: str | None = None
    hint: str | None = None

    def __post_init__(self) -> None:
        for name in ("message", "where", "hint"):
            text = getattr(self, name)
            if text is not None and (len(text) > MAX_TEXT or _UNSPEAKABLE.search(text)):
                object.__setattr__(self, name, _speakable(text))

    def as_dict(self) -> dict[str, str]:
        """As JSON for the API's `details`; absent parts are left out."""
        parts = {"code": self.code, "message": self.message, "where": self.where, "hint": self.hint}
        return {name: value for name, value in parts.items() if value is not None}


class InvalidScenario(Exception):
    """A scenario that cannot be used. `problems` lists everything that was found, never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class ProblemList:
    """The first `most` problems of however many there are, and the number of the rest."""

    def __init__(self, most: int = MAX_LISTED) -> None:
        self._most = most
        self._listed: list[Problem] = []
        self._rest = 0

    def add(self, problem: Problem) -> None:
        if len(self._listed) < self._most:
            self._listed.append(problem)
        else:
            self._rest += 1

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)

    def has(self, code: str) -> bool:
        """Whether a problem with this code is listed."""
        return any(problem.code == code for problem in self._listed)

    def __bool__(self) -> bool:
        return bool(self._listed)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._listed)

    def all(self, more_code: str, where: str | None = None) -> tuple[Problem, ...]:
        """What is listed and, if that is not all, a last one with the code `more_code` that counts the rest."""
        if not self._rest:
            return tuple(self._listed)
        return (*self._listed, Problem(more_code, f"{self._rest} more problems are not listed.", where))


def plain(number: float) -> str:
    """For people: without an exponent or superfluous zeros."""
    return f"{number:.10g}"


def shown(text: str) -> str:
    """What somebody wrote, short enough to stand inside a sentence."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _speakable(text: str) -> str:
    text = text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"
    return _UNSPEAKABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
