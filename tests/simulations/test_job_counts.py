"""The counts of jobs that have not ended follow whatever is done to the jobs."""

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from simulations.models import Job, JobCount
from simulations.models.counts import mend_counts
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

STATES = {
    "queued": {"status": "PENDING", "dispatched_at": None, "finished_at": None},
    "starting": {"status": "PENDING", "dispatched_at": timezone.now(), "finished_at": None},
    "running": {"status": "RUNNING", "dispatched_at": timezone.now(), "finished_at": None},
    "again": {"status": "RUNNING", "dispatched_at": None, "finished_at": None},
    "ended": {"status": "FAILED", "dispatched_at": None, "finished_at": timezone.now()},
}
MAKE, CHANGE, DELETE = "make", "change", "delete"


def counted(tenant) -> tuple[int, int, int]:
    row = JobCount.objects.filter(tenant=tenant).first() or JobCount()
    return row.queued, row.pending, row.running


def true(tenant) -> tuple[int, int, int]:
    jobs = Job.objects.filter(tenant=tenant)
    return (
        jobs.queued().count(),
        jobs.filter(status="PENDING").count(),
        jobs.filter(status="RUNNING").count(),
    )


class Counts(TestCase):
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(
        st.lists(
            st.tuples(
                st.sampled_from([MAKE, CHANGE, DELETE]),
                st.sampled_from(sorted(STATES)),
                st.sampled_from(sorted(STATES)),
            ),
            max_size=8,
        )
    )
    def test_counts_are_those_of_the_rows(self, steps) -> None:
        """Statements over jobs of two tenants: made, moved from one state to another, deleted."""
        tenants = [TenantFactory(), TenantFactory()]
        scenarios = [ScenarioFactory(tenant=tenant) for tenant in tenants]
        for what, state, to in steps:
            if what == MAKE:
                rows = [JobFactory.build(tenant=t, scenario=s, **STATES[state])
                        for t, s in zip(tenants, scenarios, strict=True) for _ in range(2)]  # fmt: skip
                Job.objects.bulk_create(rows)
            elif what == CHANGE:
                Job.objects.filter(**{n: v for n, v in STATES[state].items() if n == "status"}).update(**STATES[to])
            else:
                Job.objects.filter(status=STATES[state]["status"], tenant=tenants[0]).delete()
            assert [counted(tenant) for tenant in tenants] == [true(tenant) for tenant in tenants]


def test_counts_that_went_wrong_are_mended(db) -> None:
    job, other = JobFactory(), JobFactory()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE job_counts SET queued = 7, running = -1 WHERE tenant_id = %s", [job.tenant_id])
    assert mend_counts() == [job.tenant_id]
    assert counted(job.tenant) == (1, 1, 0) == counted(other.tenant)
    assert mend_counts() == []


def test_all_tenants_together(db) -> None:
    JobFactory(), JobFactory(status="RUNNING")
    total = JobCount.objects.all().total()
    assert (total.queued, total.pending, total.running, total.active) == (1, 1, 1, 2)
    assert JobCount.objects.none().total().active == 0


@pytest.mark.parametrize("column", ["progress", "observed_at", "cancel_requested_at"])
def test_what_changes_no_count_does_not_wait_for_whom_it_does_not_concern(column, db) -> None:
    """A runner's progress touches its job's row alone."""
    job = JobFactory(status="RUNNING")
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin FROM job_counts WHERE tenant_id = %s", [job.tenant_id])
        before = cursor.fetchone()
        Job.objects.filter(pk=job.pk).update(**{column: {} if column == "progress" else timezone.now()})
        cursor.execute("SELECT xmin FROM job_counts WHERE tenant_id = %s", [job.tenant_id])
        assert cursor.fetchone() == before
