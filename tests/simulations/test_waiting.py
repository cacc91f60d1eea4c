"""A tenant's line: places, what is in the way, how much is free."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from simulations import machines
from simulations.models import Job
from simulations.waiting import COUNTED, ORDER, Head, Line, line_for, ordinal
from tenants.models import Tenant
from tests.factories import JobFactory, ScenarioFactory

T0 = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Tenant(tenant_id="a", max_cpu=10, max_memory_gi=20, max_concurrent_jobs=3)
EXPLAINED = "The cluster is full."


@pytest.mark.parametrize(
    "place, words",
    [
        (1, "Next in line"), (2, "2nd in line"), (3, "3rd in line"), (4, "4th in line"), (11, "11th in line"),
        (12, "12th in line"), (13, "13th in line"), (21, "21st in line"), (102, "102nd in line"),
        (111, "111th in line"), (1000, "1,000th in line"), (1001, "More than 1,000 are before it in line"),
    ],
)  # fmt: skip
def test_ordinals(place: int, words: str) -> None:
    assert ordinal(place) == words


@pytest.mark.parametrize(
    "place, used, head, asks, words",
    [
        (2, (3, 3, 3), Head(1, 1, ""), (1, 1), "2nd in line; 3 of 3 slots in use."),
        (1, (4, 3, 3), Head(1, 1, ""), (1, 1), "Next in line; 4 of 3 slots in use."),
        (1, (2, 8, 3), Head(4, 1, ""), (4, 1), "Next in line; needs 4 CPUs; 2 of 10 are free."),
        (1, (2, 10, 3), Head(1, 1, ""), (1, 1), "Next in line; needs 1 CPU; 0 of 10 are free."),
        (3, (2, 2, 15), Head(1, 8, ""), (1, 1), "3rd in line; the first needs 8 Gi of memory; 5 of 20 are free."),
        (1, (2, 8, 15), Head(4, 8, ""), (4, 8),
         "Next in line; needs 4 CPUs; 2 of 10 are free, and 8 Gi of memory; 5 of 20 are free."),
        (2, (1, 1, 1), Head(1, 1, EXPLAINED), (1, 1), "2nd in line. The cluster is full."),
        (1, (1, 1, 1), Head(1, 1, Job.UNEXPLAINED), (1, 1), "Next in line; 1 of 3 slots in use."),
        (2, (0, 0, 0), Head(1, 1, EXPLAINED), (11, 1),
         "It needs 11 CPUs and 1 Gi; the tenant may use 10 CPUs and 20 Gi by now. Cancel it, or ask the operator for "
         "more."),
    ],
)  # fmt: skip
def test_what_is_in_the_way(
    monkeypatch: pytest.MonkeyPatch, place: int, used: Any, head: Head, asks: Any, words: str
) -> None:
    monkeypatch.setattr(machines, "_look", lambda cluster_id: [])  # no machine is known
    job = Job(job_id=uuid.uuid4(), cpu_request=asks[0], memory_gi=asks[1])
    assert Line(LIMITS, *used, head, {job.pk: place}).sentence(job) == words


def test_the_line_is_the_dispatchers(tenant: Tenant, other_tenant: Tenant) -> None:
    scenario = ScenarioFactory(tenant=tenant)

    def job(minute: int, priority: int = 0, **fields: Any) -> Job:
        at = T0 + timedelta(minutes=minute)
        return JobFactory(tenant=tenant, scenario=scenario, submitted_at=at, priority=priority, **fields)

    late, early, low, high = job(2), job(1), job(0, -1), job(3, 5, cpu_request=99)
    starting = job(0, dispatched_at=T0, cpu_request=2, memory_gi=3)
    running = job(0, status="RUNNING", memory_gi=4)
    JobFactory(tenant=other_tenant, submitted_at=T0, priority=9)
    line = line_for(tenant, [late, early, low, high, starting])
    assert line is not None
    assert [line.place(each) for each in (high, early, late, low)] == [1, 2, 3, 4]
    assert (line.slots, line.cpu, line.memory_gi) == (2, 3, 7)
    assert line.head == Head(early.cpu_request, early.memory_gi, Job.UNEXPLAINED)  # the first that may ever run
    assert line_for(tenant, [starting, running]) is None


def test_places_are_counted_so_far_and_no_further(tenant: Tenant) -> None:
    rows = [
        Job(
            job_id=uuid.uuid4(), tenant=tenant, k8s_namespace="city-a", k8s_job_name=f"sim-{n}",
            submitted_at=T0 + timedelta(seconds=n), admission_limit=10_000,
        )
        for n in range(COUNTED + 50)
    ]  # fmt: skip
    Job.objects.bulk_create(rows)
    line = line_for(tenant, rows)
    assert line is not None
    assert [line.place(rows[n]) for n in (0, 1, COUNTED - 1, COUNTED, -1)] == [1, 2, COUNTED, COUNTED + 1, COUNTED + 1]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        cursor.execute("SELECT substring(prosrc FROM 'RETURN (.*);\\s*END') FROM pg_proc WHERE proname = 'sumok8_line'")
        [body] = cursor.fetchone()
        assert f"LIMIT {COUNTED}\n" in body
        assert body.count(", ".join(f"j.{column}" for column in ORDER.split(", "))) == 3
        question = f"PREPARE line (text, uuid[]) AS SELECT {body}".replace("= tenant", "= $1").replace(
            "(wanted)", "($2)"
        )
        cursor.execute(question.replace("%", "%%"))
        cursor.execute("EXPLAIN EXECUTE line (%s, %s)", (tenant.pk, [rows[-1].pk]))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("jobs_line") == 2  # in its order, so that a longer line costs no more
    assert "Sort" not in plan
