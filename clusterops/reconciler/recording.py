"""What a step found out becomes rows: in few statements, and one by one where the whole is refused."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from clusterops.reconciler.measures import Watch
from clusterops.reconciler.pass_state import Pass, is_database_lost, log
from simulations.models import Job, Move

BATCH = 100  # a transaction that others wait for stays short

Item = TypeVar("Item")


def batches(items: Sequence[Item], size: int = BATCH) -> Iterator[Sequence[Item]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]


def name_of(job: Job) -> str:
    return f"job {job.job_id}"


def record(
    this: Pass, moves: Sequence[Move], one: Callable[[Move], bool] = Move.make, name: Callable[[Job], str] = name_of
) -> list[Move]:
    """Make the moves; those that were made. `one` makes a single one when a batch was refused, behind its own wall."""
    made: list[Move] = []
    for batch in batches(moves):
        watch = Watch(batch)
        try:
            won = Job.objects.move_all(batch)
        except Exception as error:
            if is_database_lost(error):
                raise
            log.info("%d moves are made one by one: %s", len(batch), error)
            made += one_by_one(this, batch, one, name)
            continue
        for move in batch:
            this.memory.troubles.over(name(move.job))
            if move.job.pk in won:
                made.append(move)
                watch.made(move.job)
    return made


def one_by_one(
    this: Pass, batch: Sequence[Move], one: Callable[[Move], bool], name: Callable[[Job], str]
) -> list[Move]:
    """Each behind its own wall."""
    made = []
    watch = Watch(batch)
    for move in batch:
        with this.wall(name(move.job)):
            if one(move):
                made.append(move)
                watch.made(move.job)
    return made
