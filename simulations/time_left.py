"""How much longer a run takes, as far as its progress, its time limit and earlier runs tell. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from simulations.models import Job


@dataclass(frozen=True)
class TimeLeft:
    """`seconds` until it ends by itself or is stopped; `stopped_at`: how much of it, in per cent, will be simulated
    when its time limit stops it, where that comes first."""

    seconds: float | None = None
    stopped_at: float | None = None


def time_left(job: Job, now: datetime, *, usual_s: float | None = None) -> TimeLeft:
    """Of a started job. Its pace so far is taken to hold, which flatters a network that fills up. `usual_s`: how long
    runs take, for one that has not told its pace and has not run that long yet."""
    progress: Mapping[str, Any] = job.progress or {}
    ends_in, percent, ran = progress.get("eta_s"), progress.get("percent"), _ran_s(job, now)
    if ends_in is None and usual_s is not None and ran < usual_s:
        ends_in = usual_s - ran
    if ends_in is None:
        return TimeLeft()
    limit = job.scenario_data.get("time_limit_s")
    allowed = None if limit is None else max(0.0, limit - ran)
    if allowed is None or allowed >= ends_in:
        return TimeLeft(ends_in)
    if percent is None:
        return TimeLeft(allowed)
    return TimeLeft(allowed, percent + (100 - percent) * allowed / ends_in)


def _ran_s(job: Job, now: datetime) -> float:
    """This attempt: a second one starts later than its job."""
    if job.started_at is None:
        return 0.0
    return (now - max(job.started_at, job.dispatched_at or job.started_at)).total_seconds()
