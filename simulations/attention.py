"""Whether somebody attends to the jobs. Rooms point down only: the reconciler's own room says here how to find out."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

SILENT_AFTER = timedelta(seconds=120)  # four missed passes of the reconciler
FRESH_S = 1.0  # one look a second and process is enough, however many jobs are shown


@dataclass(frozen=True)
class Look:
    """When the reconciler last ended a pass, and when a pass last saw the cluster; None: never."""

    looked_at: datetime | None = None
    saw_cluster_at: datetime | None = None


@dataclass(frozen=True)
class Silence:
    """Nobody has looked at the jobs, or no look has reached the cluster, since then."""

    since: datetime
    sentence: str


_look: Callable[[int | None], Look] | None = None
_known: dict[int | None, tuple[float, Look]] = {}  # by cluster


def register(look: Callable[[int | None], Look]) -> None:
    """`look` is asked from now on, of a cluster by its key."""
    global _look
    _look = look


def forget() -> None:
    """The next question is asked anew."""
    _known.clear()


def silence(submitted_at: datetime, cluster_id: int | None) -> Silence | None:
    """What a job submitted then has to know, if the service has been silent there for longer than SILENT_AFTER."""
    if _look is None:
        return None
    known = _known.get(cluster_id)
    if known is None or time.monotonic() - known[0] > FRESH_S:
        known = _known[cluster_id] = (time.monotonic(), _look(cluster_id))
    return judge(known[1], submitted_at, timezone.now())


def judge(look: Look, submitted_at: datetime, now: datetime) -> Silence | None:
    """Pure. What never happened is counted from the job's submission."""
    looked_at, saw_at = look.looked_at or submitted_at, look.saw_cluster_at or submitted_at
    if now - looked_at > SILENT_AFTER:
        words = f"The service has not looked at its jobs for {duration(now - looked_at)}"
        return Silence(looked_at, f"{words}; nothing is lost, and it goes on when the operator has it running again.")
    if now - saw_at > SILENT_AFTER:
        words = f"The cluster has not answered for {duration(now - saw_at)}"
        return Silence(saw_at, f"{words}; nothing is lost, and jobs go on when it does.")
    return None


def duration(span: timedelta) -> str:
    """In the largest unit of which there are two or more: `3 minutes`, `2 hours`."""
    seconds = int(span.total_seconds())
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
