"""What is read of the queue: the heads of the lines, whatever else stands in them."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clusterops.reconciler.heads import HEADS, LINE, Wanted, heads
from clusterops.reconciler.job_states import jobs_in_hand
from simulations.models import Job
from simulations.models.columns import FOR_DECISION
from simulations.waiting import ORDER
from tenants.clusters import FIRST
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

T0 = timezone.now()


@pytest.fixture
def line(db):
    """A tenant's line of these jobs, submitted one after the other."""
    tenant = TenantFactory(max_cpu=4)
    scenario = ScenarioFactory(tenant=tenant)

    def make(*jobs: dict) -> list[Job]:
        return [
            JobFactory(tenant=tenant, scenario=scenario, submitted_at=T0 + timedelta(seconds=n), **columns)
            for n, columns in enumerate(jobs)
        ]

    make.tenant = tenant
    return make


def first(line, number: int, left_out: set[uuid.UUID] = frozenset()) -> list[uuid.UUID]:
    return [
        job.pk for job in heads([Wanted.of(line.tenant, number, None)], FOR_DECISION, left_out).get(line.tenant.pk, [])
    ]


def test_in_the_lines_order_and_no_more_than_wanted(line) -> None:
    early, late, urgent = line({}, {}, {"priority": 5})
    assert first(line, 2) == [urgent.pk, early.pk]
    assert first(line, 9) == [urgent.pk, early.pk, late.pk]


def test_jobs_that_do_not_wait_for_their_turn_are_not_among_them(line) -> None:
    *_, left_out, waits = line(
        {"dispatched_at": T0}, {"cancel_requested_at": T0}, {"status": "RUNNING"},
        {"status": "FAILED", "finished_at": T0}, {}, {},
    )  # fmt: skip
    assert first(line, 9, {left_out.pk}) == [waits.pk]


def test_jobs_beyond_the_tenants_limits_hide_nobody(line) -> None:
    *large, small = line(*[{"cpu_request": 8}] * 5, {"cpu_request": 4})
    assert first(line, 1) == [large[0].pk, small.pk]  # the first one is told why


def test_each_tenant_has_its_own(db) -> None:
    jobs = [JobFactory() for _ in range(3)]
    found = heads([Wanted.of(job.tenant, 1, None) for job in jobs], FOR_DECISION, ())
    assert {tenant: [job.pk for job in rows] for tenant, rows in found.items()} == {j.tenant_id: [j.pk] for j in jobs}
    assert heads([], FOR_DECISION, ()) == {}


def test_what_a_pass_reads_is_what_the_cluster_may_have(line) -> None:
    _, _, *there = line(
        {},
        {"cancel_requested_at": T0},
        {"dispatching_at": T0},
        {"dispatched_at": T0},
        {"status": "RUNNING"},
    )
    line({"status": "FAILED", "finished_at": T0, "dispatched_at": T0, "dispatching_at": T0})
    assert [job.pk for job in jobs_in_hand(FIRST)] == [job.pk for job in there]


def plan_of(statement: str, values: object) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {statement}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


def test_both_follow_their_indexes(line) -> None:
    line({})
    statement = HEADS.format(columns="j.job_id", line=LINE, order=ORDER)
    values = {"tenants": ["a"], "numbers": [1], "max_cpu": [1], "max_memory_gi": [1], "left_out": [], "cluster": 1}
    assert plan_of(statement, values).count("jobs_line") == 2
    sql, parameters = Job.objects.in_hand().only("job_id").order_by("submitted_at", "job_id").query.sql_with_params()
    assert "jobs_in_hand" in plan_of(sql, parameters)
