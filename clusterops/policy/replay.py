"""What other limits would have meant: a tenant's past jobs run once more through its line, on paper. Pure.

Only the tenant's own limits are replayed, as if the cluster always had room: what it says is what limits cost.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

LEAST_WAIT_S = 60.0  # shorter ones are nobody's concern
ENOUGH = 0.5  # of the wait: the smallest limit that brings it down to this is chosen
WORTH_IT = 0.8  # a limit that leaves more of it is not worth a change


@dataclass(frozen=True)
class Past:
    """A job as it was: when it came, how long it held its place, and what it asked for. Times in seconds."""

    submitted: float
    held_s: float
    cpu: int
    memory_gi: int
    rank: tuple[int, int] = (0, 0)  # priority class, priority


@dataclass(frozen=True)
class Bounds:
    """A tenant's limits."""

    slots: int
    cpu: int
    memory_gi: int


@dataclass(frozen=True)
class Advice:
    """Which limits would have cut the wait that 19 of 20 jobs stayed below, from how long to how long."""

    bounds: Bounds
    before_s: float
    after_s: float


def waits(jobs: Sequence[Past], bounds: Bounds) -> list[float]:
    """How long each would have waited, in order of coming; without those that could never start.

    As the dispatcher does: by class, priority and age, and nobody overtakes within the line.
    """
    fit = [job for job in jobs if job.cpu <= bounds.cpu and job.memory_gi <= bounds.memory_gi]
    fit.sort(key=lambda job: job.submitted)
    free, found = [bounds.slots, bounds.cpu, bounds.memory_gi], [0.0] * len(fit)
    line: list[tuple[int, int, float, int]] = []
    running: list[tuple[float, int]] = []  # (end, which)
    coming = 0
    while coming < len(fit) or line:
        now = min(
            fit[coming].submitted if coming < len(fit) else float("inf"), running[0][0] if running else float("inf")
        )
        while running and running[0][0] <= now:
            _give(free, fit[heapq.heappop(running)[1]], 1)
        while coming < len(fit) and fit[coming].submitted <= now:
            job = fit[coming]
            heapq.heappush(line, (-job.rank[0], -job.rank[1], job.submitted, coming))
            coming += 1
        while line and _has_room(free, fit[line[0][3]]):
            which = heapq.heappop(line)[3]
            job = fit[which]
            _give(free, job, -1)
            found[which] = now - job.submitted
            heapq.heappush(running, (now + max(0.0, job.held_s), which))
    return found


def _has_room(free: list[int], job: Past) -> bool:
    return free[0] >= 1 and free[1] >= job.cpu and free[2] >= job.memory_gi


def _give(free: list[int], job: Past, sign: int) -> None:
    free[0] += sign
    free[1] += sign * job.cpu
    free[2] += sign * job.memory_gi


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many are not above; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def long_wait(jobs: Sequence[Past], bounds: Bounds) -> float:
    return percentile(waits(jobs, bounds), 0.95)


def advise(jobs: Sequence[Past], bounds: Bounds) -> Advice | None:
    """The smallest raise that would have helped; None: jobs did not wait for these limits, or no raise is enough."""
    if not jobs or (before := long_wait(jobs, bounds)) < LEAST_WAIT_S:
        return None
    best: Advice | None = None
    for raised in raises(jobs, bounds):
        after = long_wait(jobs, raised)
        if after <= ENOUGH * before:
            return Advice(raised, before, after)
        if after <= WORTH_IT * before and (best is None or after < best.after_s):
            best = Advice(raised, before, after)
    return best


def raises(jobs: Sequence[Past], bounds: Bounds) -> list[Bounds]:
    """Limits to try, the smallest raise first: one limit alone, then all three, since each may hide another."""
    cpu = max(1, round(median(job.cpu for job in jobs)))
    memory_gi = max(1, round(median(job.memory_gi for job in jobs)))
    tried = []
    for more in _steps(bounds.slots):
        tried += [
            replace(bounds, slots=bounds.slots + more),
            replace(bounds, cpu=bounds.cpu + more * cpu),
            replace(bounds, memory_gi=bounds.memory_gi + more * memory_gi),
            Bounds(bounds.slots + more, bounds.cpu + more * cpu, bounds.memory_gi + more * memory_gi),
        ]
    return tried


def _steps(slots: int) -> list[int]:
    """One job more, two more, half as many again, twice as many."""
    return sorted({1, 2, max(1, slots // 2), slots})
