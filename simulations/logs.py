"""A job's log for pages. Rooms point down only: the room that reads it from the cluster says here how."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
