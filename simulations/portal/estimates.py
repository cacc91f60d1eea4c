"""When waiting jobs may start, as far as the tenant's slots and what ran before tell. Pure."""

import heapq
from collections.abc import Sequence
from statistics import median

from simulations.models import Job


def typical_s(ended: Sequence[Job]) -> float | None:
    """How long runs have taken lately."""
    lasted = [(job.finished_at - job.started_at).total_seconds() for job in ended if job.started_at and job.finished_at]
    return median(lasted) if lasted else None


def starts_in_s(waiting: int, slots: int, left_s: Sequence[float | None], usual_s: float | None) -> list[float | None]:
    """Seconds until each of the first `waiting` jobs of the line starts. `left_s`: of what runs now, None: not known.

    None from where there is nothing to reckon with. The cluster may make them wait for longer.
    """
    if slots < 1:
        return [None] * waiting
    frees = [usual_s if left is None else max(0.0, left) for left in left_s]
    if None in frees:
        return [None] * waiting
    slot_free_at: list[float] = sorted(each for each in frees if each is not None)
    slot_free_at += [0.0] * max(0, slots - len(slot_free_at))
    heapq.heapify(slot_free_at)
    found: list[float | None] = []
    for _ in range(waiting):
        if not slot_free_at:
            found.append(None)
            continue
        at = heapq.heappop(slot_free_at)
        found.append(at)
        if usual_s is not None:
            heapq.heappush(slot_free_at, at + usual_s)
    return found
