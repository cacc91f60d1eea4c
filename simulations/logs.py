"""A job's log for pages. Rooms point down only: the room that reads it from the cluster says here how."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulations.logtext import narrowed

if TYPE_CHECKING:  # models are not loaded yet when `clusterops.apps` is
    from simulations.models import Job


@dataclass(frozen=True)
class LogView:
    """The text, and where it comes from or why it is empty."""

    text: str
    note: str


_read: Callable[["Job"], LogView] | None = None


def register(read: Callable[["Job"], LogView]) -> None:
    """`read` is asked from now on; it never raises."""
    global _read
    _read = read


def log_view(job: "Job") -> LogView:
    """The last lines as sentences."""
    if _read is None:
        raise RuntimeError("nobody has said how logs are read")
    return _read(job)


def narrow(view: LogView, find: str, level: str = "") -> LogView:
    """Only the lines with `find`, and of `level` (`logtext.LEVELS`) or worse."""
    if not view.text or not (find or level):
        return view
    text, count = narrowed(view.text, find, level)
    what = [f"contain “{find}”"] * bool(find) + [
        {"warning": "are warnings or errors", "error": "are errors"}.get(level, "")
    ]
    return LogView(text, f"{view.note} {count} of them {' and '.join(filter(None, what)) or 'are shown'}.")
