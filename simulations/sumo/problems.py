"""What can be wrong with a scenario or a request, said with a stable code and a sentence for the person who sent it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (or, in a list of warnings, worth knowing).

    `code` is stable and meant for programs (`input.missing`), `message` is a plain sentence, `where` the file or
    field it is about, `hint` what to do next.
    """

    code: str
    message: str
    where: str | None = None
    hint: str | None = None

    def as_dict(self) -> dict[str, str]:
        """As JSON for the API's `details`; absent parts are left out."""
        parts = {"code": self.code, "message": self.message, "where": self.where, "hint": self.hint}
        return {name: value for name, value in parts.items() if value is not None}


class InvalidScenario(Exception):
    """A scenario that cannot be used. `problems` lists everything that was found, never empty."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


def plain(number: float) -> str:
    """For people: without an exponent or superfluous zeros."""
    return f"{number:.10g}"
