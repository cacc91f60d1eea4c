"""What can be wrong with a scenario or a request, said with a stable code and a sentence for the person who sent it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

MAX_LISTED = 50
MAX_TEXT = 1000  # characters of one text of an entry
MORE = "more_problems"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or, in a list of warnings, worth knowing).

    `code` is stable and meant for programs (`input.missing`), `message` is a plain sentence, `where` the file or
    field it is about, `hint` what to do next. `more` is the number of problems that an entry stands for which are not
    listed (code MORE).
    """

    code: str
    message: str
    where: str | None = None
    hint: str | None = None
    more: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """As JSON for the API's `details`; absent parts are left out."""
        parts = {name: getattr(self, name) for name in ("code", "message", "where", "hint", "more")}
        return {name: value for name, value in parts.items() if value is not None}


class InvalidScenario(Exception):
    """A scenario that cannot be used. `problems` lists everything that was found, never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


def listed(problems: Iterable[Problem], where: str | None = None) -> list[Problem]:
    """The first MAX_LISTED problems, and one that counts the rest, about `where`."""
    left = iter(problems)
    shown = list(islice(left, MAX_LISTED))
    rest = sum(problem.more or 1 for problem in left)
    return [*shown, Problem(MORE, _not_listed(rest), where, more=rest)] if rest else shown


def listed_entries(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems as JSON, as an answer may hold them: at most MAX_LISTED with at most MAX_TEXT characters a text, and one
    that counts the rest; entries that count already are summed up in it."""
    shown: list[dict[str, Any]] = []
    rest = 0
    for entry in entries:
        if entry.get("more"):
            rest += entry["more"]
        elif len(shown) < MAX_LISTED:
            shown.append({name: _cut(value) for name, value in entry.items()})
        else:
            rest += 1
    return [*shown, {"code": MORE, "message": _not_listed(rest), "more": rest}] if rest else shown


def _not_listed(number: int) -> str:
    return f"{number} more problems are not listed."


def _cut(value: Any) -> Any:
    return f"{value[:MAX_TEXT]}…" if isinstance(value, str) and len(value) > MAX_TEXT else value


def plain(number: float) -> str:
    """For people: without an exponent or superfluous zeros."""
    return f"{number:.10g}"
