"""What a step found out becomes rows: in few statements, and one by one where the whole is refused."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from clusterops.reconciler.measures import Watch
from clusterops.reconciler.pass_state import Pass, is_database_lost, log
from simulations.models import Job, Move
from simulations.models.moves import make_all

BATCH = 100  # a transaction that others wait for stays short

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]


def name_of(job: Job) -> str:
    return f"job {job.job_id}"


def record(
    this_pass: Pass,
    moves: Sequence[Move],
    *,
    many: Callable[[Sequence[Move]], set[UUID]] = make_all,
    one: Callable[[Move], bool] = Move.make,
    name: Callable[[Job], str] = name_of,
) -> list[Move]:
    """Make the moves; those that were made. `many` makes a batch, `one` a single one, isolated, when a batch was
    refused."""
    made: list[Move] = []
    for batch in batches(moves):
        watch = Watch(batch)
        try:
            won = many(batch)
        except Exception as error:
            if is_database_lost(error):
                raise
            log.info("%d moves are made one by one: %s", len(batch), error)
            for move in batch:
                with this_pass.isolate(name(move.job)):
                    if one(move):
                        made.append(move)
                        watch.made(move.job)
            continue
        for move in batch:
            this_pass.memory.troubles.over(name(move.job))
            if move.job.pk in won:
                made.append(move)
                watch.made(move.job)
    return made
