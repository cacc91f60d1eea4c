"""Which runs of a tenant's studies start next. Pure: studies take turns, each in its own order."""

import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Waiting:
    """A study with runs that wait. `active`: its runs that are jobs now; `planned`: keys of those next in order."""

    study_id: uuid.UUID
    served_at: datetime | None
    active: int
    max_parallel: int | None
    planned: Sequence[int]


def next_runs(waiting: Iterable[Waiting], free: int) -> list[tuple[uuid.UUID, int]]:
    """(study, run) in the order in which they start, at most `free`.

    The study that was served longest ago comes first; of equals the one that is given first.
    """
    line = deque(sorted(waiting, key=lambda each: each.served_at or NEVER))
    taken = dict.fromkeys((each.study_id for each in line), 0)
    chosen: list[tuple[uuid.UUID, int]] = []
    while line and len(chosen) < free:
        study = line.popleft()
        number = taken[study.study_id]
        full = study.max_parallel is not None and study.active + number >= study.max_parallel
        if full or number >= len(study.planned):
            continue
        chosen.append((study.study_id, study.planned[number]))
        taken[study.study_id] += 1
        line.append(study)
    return chosen
