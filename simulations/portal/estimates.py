"""When waiting jobs may start, as far as the tenant's own limits and what ran before tell. Pure."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from simulations.models import Job


class Need(NamedTuple):
    cpu: int
    memory_gi: int


class Running(NamedTuple):
    need: Need
    left_s: float | None
    """None: not known; then nothing is said of what waits for it."""


@dataclass
class Room:
    """What the tenant may still start: its limits less what runs."""

    jobs: int
    cpu: int
    memory_gi: int

    def fits(self, need: Need) -> bool:
        return self.jobs > 0 and need.cpu <= self.cpu and need.memory_gi <= self.memory_gi

    def change(self, need: Need, by: int) -> None:
        self.jobs += by
        self.cpu += by * need.cpu
        self.memory_gi += by * need.memory_gi


def typical_s(ended: Sequence[Job]) -> float | None:
    """How long runs have taken lately."""
    lasted = [(job.finished_at - job.started_at).total_seconds() for job in ended if job.started_at and job.finished_at]
    return median(lasted) if lasted else None


def starts_in_s(
    waiting: Sequence[Need], limits: Room, running: Sequence[Running], usual_s: float | None
) -> list[float | None]:
    """Seconds until each of the line's first jobs starts, one after the other: nobody overtakes.

    None where there is nothing to reckon with, and for what the limits never allow. The cluster may take longer.
    """
    usual = math.inf if usual_s is None else usual_s
    left = Room(limits.jobs, limits.cpu, limits.memory_gi)
    ends: list[tuple[float, Need]] = []
    for need, left_s in running:
        left.change(need, -1)
        heapq.heappush(ends, (math.inf if left_s is None else max(0.0, left_s), need))
    at, found = 0.0, list[float | None]()
    for need in waiting:
        if not limits.fits(need):
            found.append(None)
            continue
        while not left.fits(need) and ends:
            ended, freed = heapq.heappop(ends)
            at = max(at, ended)
            left.change(freed, +1)
        found.append(at if math.isfinite(at) else None)
        left.change(need, -1)
        heapq.heappush(ends, (at + usual, need))
    return found
