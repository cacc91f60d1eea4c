"""How much of its limits a tenant has used over a time: now, at most, and for how long there was no room. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Held:
    """What a job held of the limits, from when to when. Times in seconds."""

    begins: float
    ends: float
    cpu: int
    memory_gi: int


@dataclass(frozen=True)
class LimitUse:
    """Of one limit. `full_share`: of the time in which one more job, as large as usual, would have found no room."""

    limit: int
    now: int
    peak: int
    full_share: float


def uses(held: Iterable[Held], limits: tuple[int, int, int], begins: float, now: float) -> list[LimitUse]:
    """Of jobs at a time, CPUs and Gi, in this order, between `begins` and `now`."""
    jobs = [job for job in held if job.ends > begins and job.begins < now]
    changes: list[tuple[float, tuple[int, int, int]]] = []
    for job in jobs:
        changes.append((max(job.begins, begins), (1, job.cpu, job.memory_gi)))
        if job.ends < now:
            changes.append((job.ends, (-1, -job.cpu, -job.memory_gi)))
    changes.sort(key=lambda change: change[0])  # what ends gives room to what begins at the same moment
    usual = (1, *(_usual(values) for values in ((job.cpu for job in jobs), (job.memory_gi for job in jobs))))
    used, peak, full = [0, 0, 0], [0, 0, 0], [0.0, 0.0, 0.0]
    at = begins
    for place, (moment, change) in enumerate(changes):
        for which in range(3):
            if used[which] + usual[which] > limits[which]:
                full[which] += moment - at
            used[which] += change[which]
        at = moment
        if place + 1 == len(changes) or changes[place + 1][0] > moment:
            peak = [max(pair) for pair in zip(peak, used, strict=True)]
    for which in range(3):
        if used[which] + usual[which] > limits[which]:
            full[which] += now - at
    span = max(now - begins, 1.0)
    return [LimitUse(limits[which], used[which], peak[which], full[which] / span) for which in range(3)]


def _usual(values: Iterable[int]) -> int:
    known = list(values)
    return max(1, round(median(known))) if known else 1
