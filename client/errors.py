"""What may go wrong, as one exception."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class ApiProblem(Exception):
    """The service refused or could not be reached; `str()` is a sentence for people, with the details below it.

    `status` is the HTTP status, None if there was no answer; `code` is stable, for programs.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str = "",
        details: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__("\n".join([message, *(f"  - {line_of(entry)}" for entry in details)]))
        self.message, self.status, self.code, self.details = message, status, code, list(details)

    def as_json(self) -> dict[str, Any]:
        """In the shape of the service's own errors."""
        return {"error": {"code": self.code or "client", "message": self.message, "details": self.details}}


def line_of(entry: Mapping[str, Any]) -> str:
    """One detail of an error, or one problem of a scenario: where, what, and what to do."""
    if not isinstance(entry, Mapping):
        return str(entry)
    where = f"{entry['where']}: " if entry.get("where") else ""
    hint = f" {entry['hint']}" if entry.get("hint") else ""
    return f"{where}{entry.get('message', entry)}{hint}"
