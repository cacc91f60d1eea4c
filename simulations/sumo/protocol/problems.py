"""What can be wrong with a scenario or a request, said with a stable code and a sentence for the person who sent it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_LISTED = 50
MAX_TEXT = 1000  # characters of one text of an entry
MAX_SHOWN = 100  # characters of what somebody wrote, inside a sentence
MORE = "more_problems"
# What PostgreSQL's jsonb and terminals refuse; line breaks stay.
_UNSPEAKABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong (or, in a list of warnings, worth knowing).

    `code` is stable and meant for programs (`input.missing`), `message` is a plain sentence, `where` the file or
    field it is about, `hint` what to do next. `more` is the number of problems that an entry stands for which are not
    listed (code MORE). Texts quote what strangers wrote, so they are cut at MAX_TEXT letters and hold no control
    characters.
    """

    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    more: int | None = None

    def __post_init__(self) -> None:
        for name in ("message", "where", "hint"):
            text = getattr(self, name)
            if text is not None and (len(text) > MAX_TEXT or _UNSPEAKABLE.search(text)):
                object.__setattr__(self, name, _UNSPEAKABLE.sub(_escaped, _cut(text)))

    def as_dict(self) -> dict[str, Any]:
        """As JSON for the API's `details`; absent parts are left out."""
        parts = {name: getattr(self, name) for name in ("code", "message", "where", "hint", "more")}
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
        if problem.more is None and len(self._listed) < self._most:
            self._listed.append(problem)
        else:
            self._rest += problem.more or 1

    def extend(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.add(problem)
        if isinstance(problems, ProblemList):
            self._rest += problems._rest

    def has(self, code: str) -> bool:
        """Whether a problem with this code is listed."""
        return any(problem.code == code for problem in self._listed)

    def __bool__(self) -> bool:
        return bool(self._listed)

    def __iter__(self) -> Iterator[Problem]:
        """What is listed, without the count."""
        return iter(self._listed)

    def all(self, where: str | None = None) -> tuple[Problem, ...]:
        """What is listed and, if that is not all, one that counts the rest, about `where`."""
        rest = [Problem(MORE, _not_listed(self._rest), where, more=self._rest)] if self._rest else []
        return (*self._listed, *rest)


def listed(problems: Iterable[Problem], where: str | None = None) -> list[Problem]:
    """The first MAX_LISTED problems, and one that counts the rest, about `where`."""
    found = ProblemList()
    found.extend(problems)
    return list(found.all(where))


def listed_entries(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems as JSON, as an answer may hold them: at most MAX_LISTED with at most MAX_TEXT characters a text, and one
    that counts the rest; entries that count already are summed up in it."""
    entries_shown: list[dict[str, Any]] = []
    rest = 0
    for entry in entries:
        if entry.get("more"):
            rest += entry["more"]
        elif len(entries_shown) < MAX_LISTED:
            entries_shown.append({name: _cut(value) for name, value in entry.items()})
        else:
            rest += 1
    return [*entries_shown, {"code": MORE, "message": _not_listed(rest), "more": rest}] if rest else entries_shown


def _not_listed(number: int) -> str:
    return f"{number} more problems are not listed."


def _cut(value: Any) -> Any:
    return f"{value[:MAX_TEXT]}…" if isinstance(value, str) and len(value) > MAX_TEXT else value


def plain(number: float) -> str:
    """For people: without an exponent or superfluous zeros."""
    return f"{number:.10g}"


def shown(text: str) -> str:
    """What somebody wrote, short enough to stand inside a sentence."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _escaped(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"
