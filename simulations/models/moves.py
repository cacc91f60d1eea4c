"""Many jobs' moves in few statements, under the rules of `Job.move_to`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection, transaction

if TYPE_CHECKING:
    from simulations.models.job import Job


@dataclass(frozen=True)
class Move:
    """The arguments of one `job.move_to`."""

    job: "Job"
    status: str
    reason: str
    message: str
    columns: Mapping[str, Any] = field(default_factory=dict)

    def make(self) -> bool:
        return self.job.move_to(self.status, reason=self.reason, message=self.message, **self.columns)


@transaction.atomic
def make_all(moves: Iterable[Move]) -> set[UUID]:
    """Each as `Job.move_to` would make it, all in one transaction; the keys of those that no other writer was before.

    At most one move per job. One statement for each set of columns that are written, and one each
    for all events and notices. Raises
    ValueError, and makes no move, if one is not allowed.
    """
    groups: dict[tuple[str, ...], list[tuple[Job, dict[str, Any]]]] = defaultdict(list)
    for move in moves:
        columns = move.job.columns_of_move(move.status, move.reason, move.message, move.columns)
        groups[tuple(sorted(columns))].append((move.job, columns))
    moved: list[tuple[Job, dict[str, Any]]] = []
    for names, group in groups.items():
        won = _swap(names, group)
        moved += [(job, columns) for job, columns in group if job.pk in won]
    events = [event for job, columns in moved if (event := job.event_of_move(columns))]
    if events:
        type(events[0]).objects.bulk_create(events)
    notices = [notice for job, columns in moved if (notice := job.notice_of_move(columns))]
    if notices:
        type(notices[0]).objects.bulk_create(notices)
    for job, columns in moved:
        for name, value in columns.items():
            setattr(job, name, value)
    return {job.pk for job, _ in moved}


def _swap(names: Sequence[str], group: Sequence[tuple["Job", Mapping[str, Any]]]) -> set[UUID]:
    """Compare and swap; the keys of the rows that were as their jobs say."""
    model = type(group[0][0])
    by_name = {each.name: each for each in model._meta.concrete_fields}
    fields = [by_name[name] for name in ("job_id", "status", "attempt", *names)]
    # Without lengths: a cast to varchar(10) would cut what is too long, instead of refusing it.
    types = [(each.db_type(connection) or "").partition("(")[0] for each in fields]
    row = f"({', '.join(f'%s::{each}' for each in types)})"
    own = ("job_id", "old_status", "old_attempt", *(f"new_{name}" for name in names))
    statement = f"""
        UPDATE jobs SET {", ".join(f"{each.column} = v.new_{each.name}" for each in fields[3:])}
        FROM (VALUES {", ".join([row] * len(group))}) AS v ({", ".join(own)})
        WHERE jobs.job_id = v.job_id AND jobs.status = v.old_status AND jobs.attempt = v.old_attempt
        RETURNING jobs.job_id
    """  # noqa: S608 - names of our own
    values: list[Any] = []
    for job, columns in group:
        wanted = (job.pk, job.status, job.attempt, *(columns[name] for name in names))
        values += [each.get_db_prep_save(value, connection) for each, value in zip(fields, wanted, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {pk for (pk,) in cursor.fetchall()}
