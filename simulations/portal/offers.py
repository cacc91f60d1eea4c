"""What a run that failed may be offered more of. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from simulations.models import Job
from simulations.sumo.protocol.endings import Reason
from simulations.templatetags.figures import duration

SPARE = 1.3  # networks fill up: the rest is slower than what was simulated
LACKED_MEMORY = {Reason.OUT_OF_MEMORY, Reason.KILLED}
MORE_MEMORY_MAY_HELP = LACKED_MEMORY | {Reason.SUMO_CRASHED}
MINUTE, QUARTER, HOUR = 60, 900, 3600


@dataclass(frozen=True)
class Offer:
    """`is_sure`: it is known to have lacked that. Without `words` there is nothing to offer, and `note` says why."""

    field: str = ""
    value: int = 0
    words: str = ""
    note: str = ""
    is_sure: bool = False


def offer(job: Job, *, begin: float, end: float | None) -> Offer | None:
    """`begin` and `end` are the simulation's, in seconds; None where more of something is no help."""
    if job.status != Job.Status.FAILED:
        return None
    if job.reason == Reason.TIME_LIMIT:
        return _time(job, begin, end)
    if job.reason not in MORE_MEMORY_MAY_HELP:  # a wrong scenario is wrong with any memory
        return None
    more = 2 * job.memory_gi
    return Offer("memory_gi", more, f"{more} Gi", is_sure=job.reason in LACKED_MEMORY)


def _time(job: Job, begin: float, end: float | None) -> Offer | None:
    limit, most = job.scenario_data.get("time_limit_s", 0), settings.JOB_MAX_TIME_LIMIT_S
    done = _share_done(job, begin, end)
    if done is None:
        if limit >= most:
            return None
        value = min(2 * limit, most)
        return Offer("time_limit_s", value, f"a limit of {duration(value)}", is_sure=True)
    needed = SPARE * limit / done
    step = MINUTE if needed < HOUR else QUARTER
    value = math.ceil(needed / step) * step
    told = f"It had simulated {100 * done:.2g} % of its time; at that pace all of it needs about {duration(value)}."
    if value > most:
        return Offer(note=f"{told} This service allows {duration(most)}: let it simulate less at once.")
    return Offer("time_limit_s", value, f"a limit of {duration(value)}", told, is_sure=True)


def _share_done(job: Job, begin: float, end: float | None) -> float | None:
    """Of the simulated time, by the results, else by the last report of the run."""
    results: Mapping[str, Any] = job.results or {}
    percent = job.progress["percent"] if job.progress else None
    at = results.get("sim_end")
    share = None
    if isinstance(at, int | float) and end is not None and end > begin:
        share = (at - begin) / (end - begin)
    elif percent is not None:
        share = percent / 100
    return share if share is not None and 0 < share < 1 else None
