"""Many moves in few statements: the same guards, the same events as one by one."""

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from simulations.models import Job, JobEvent, Move
from tests.factories import JobFactory


def rows() -> list[tuple[object, ...]]:
    names = ("status", "reason", "message", "attempt", "results", "exit_code", "pod_name", "finished_at", "started_at")
    return list(Job.objects.order_by("k8s_job_name").values_list(*names))


def moves_of(first: Job, second: Job, third: Job) -> list[Move]:
    now = timezone.now()
    return [
        Move(first, "RUNNING", "RUNNING", "It runs.", {"pod_name": "p", "started_at": now}),
        Move(
            second, "FAILED", "SUMO_FAILED", "No.", {"results": {"a": [1, None]}, "exit_code": 65, "finished_at": now}
        ),
        Move(third, "PENDING", "QUEUED", "2nd in line.", {"results": None}),
    ]


def test_they_write_what_single_moves_write(db) -> None:
    jobs = [JobFactory(k8s_job_name=f"j-{n}") for n in range(3)]
    fresh = [Job.objects.get(pk=job.pk) for job in jobs]
    moves = moves_of(*jobs)
    assert Job.objects.move_all(moves) == {job.pk for job in jobs}
    together = rows()
    events = list(JobEvent.objects.order_by("job__k8s_job_name").values_list("status", "reason", "message", "attempt"))
    assert [(job.status, job.reason, job.results) for job in jobs] == [(*row[:2], row[4]) for row in together]
    JobEvent.objects.all().delete()
    names = [field.attname for field in Job._meta.concrete_fields if not field.is_relation and not field.unique]
    own = {"k8s_job_name", "k8s_namespace", "scenario_data"}
    Job.objects.update(**{name: getattr(fresh[0], name) for name in names if name not in own})
    for move, job in zip(moves, fresh, strict=True):
        assert Move(job, move.status, move.reason, move.message, move.columns).make()
    assert rows() == together
    assert (
        list(JobEvent.objects.order_by("job__k8s_job_name").values_list("status", "reason", "message", "attempt"))
        == events
        == [("RUNNING", "RUNNING", "It runs.", 1), ("FAILED", "SUMO_FAILED", "No.", 1)]
    )


@pytest.mark.parametrize("other", [{"status": "CANCELLED", "finished_at": timezone.now()}, {"attempt": 2}])
def test_another_writers_word_stands(db, other) -> None:
    late, job = JobFactory(), JobFactory()
    Job.objects.filter(pk=late.pk).update(**other)
    moves = [Move(each, "RUNNING", "RUNNING", "It runs.") for each in (late, job)]
    assert Job.objects.move_all(moves) == {job.pk}
    assert (late.status, job.status) == ("PENDING", "RUNNING")
    assert list(JobEvent.objects.values_list("job", flat=True)) == [job.pk]
    late.refresh_from_db()
    assert {name: getattr(late, name) for name in other} == other


def test_a_move_that_is_not_allowed_stops_all(db) -> None:
    ended, job = JobFactory(status="CANCELLED", finished_at=timezone.now()), JobFactory()
    with pytest.raises(ValueError, match="not a move"):
        Job.objects.move_all([Move(job, "RUNNING", "RUNNING", ""), Move(ended, "RUNNING", "RUNNING", "")])
    assert Job.objects.get(pk=job.pk).status == "PENDING"


def test_what_is_too_long_is_refused_not_cut(db) -> None:
    with pytest.raises(DataError):
        Job.objects.move_all([Move(JobFactory(), "RUNNING", "RUNNING", "", {"pod_name": "x" * 300})])


def test_the_number_of_statements_does_not_depend_on_the_jobs(db) -> None:
    jobs = [JobFactory() for _ in range(20)]
    with CaptureQueriesContext(connection) as queries:
        Job.objects.move_all(Move(job, "RUNNING", "RUNNING", "") for job in jobs)
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 2
    assert Job.objects.move_all([]) == set()
