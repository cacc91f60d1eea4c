"""Runs of more than a day: charged day by day, the rest at their end, and taken back where the end is not billed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clusterops.policy.budget import Allowance
from clusterops.usage import posting
from clusterops.usage.budget_models import Budget
from clusterops.usage.budgets import allowances
from clusterops.usage.ledger import LedgerEntry, LedgerLine, LedgerTotal, PartPostedRun, UnpostedRun
from clusterops.usage.models import PodRun
from clusterops.usage.parts import post_days
from simulations.models import Job
from tenants.models import PlanPrice, Tenant
from tests.clusterops.usage.test_ledger import priced  # noqa: F401 - a fixture
from tests.clusterops.usage.test_usage_api import ran
from tests.factories import JobFactory, TenantFactory

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 3, 13, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


def running(tenant: Tenant, began: datetime = BEGAN) -> PodRun:
    """Two CPUs and 4 GiB, and it was seen to run a minute ago, whenever it is asked."""
    job: Job = JobFactory(
        tenant=tenant, status="RUNNING", reason="RUNNING", scenario_data={"time_limit_s": 90 * 3600}, cpu_request=2
    )
    Job.objects.filter(pk=job.pk).update(observed_at=datetime(2027, 1, 1, tzinfo=UTC))
    run = ran(tenant, began, 0, job_id=job.pk, ending="", billable=False)
    PodRun.objects.filter(pk=run.pk).update(ended_at=None)
    return run


def ends(run: PodRun, after: timedelta, ending: str = "COMPLETED") -> None:
    PodRun.objects.filter(pk=run.pk).update(
        ended_at=run.started_at + after, ending=ending, billable=ending == "COMPLETED"
    )
    posting.post_all()


def days(until: datetime) -> int:
    told: dict[int, str] = {}
    found = post_days(told.__setitem__, until)
    assert not told
    return found


def cpu_entries() -> list[tuple[str, int, Decimal | None]]:
    rows = LedgerEntry.objects.filter(item="cpu_hour").order_by("pk")
    return [
        (str(day), int(quantity), amount) for day, quantity, amount in rows.values_list("day", "quantity", "amount")
    ]


def test_each_day_at_its_price_once_and_the_rest_at_the_end(priced: Tenant):  # noqa: F811
    run = running(priced)
    assert days(BEGAN + 23 * HOUR) == 0  # not for longer than a day
    assert [days(BEGAN + 25 * HOUR), days(BEGAN + 26 * HOUR)] == [1, 0]
    assert days(BEGAN + 60 * HOUR) == 1
    expected = [
        ("2026-03-13", 2 * 6 * 3600, Decimal("4.32")),
        ("2026-03-14", 2 * 24 * 3600, Decimal("17.28")),
        ("2026-03-15", 2 * 24 * 3600, Decimal("34.56")),  # of which on the price has doubled
    ]
    assert cpu_entries() == expected
    assert not LedgerEntry.objects.filter(item="run").exists()
    ends(run, 60 * HOUR)
    assert cpu_entries() == [*expected, ("2026-03-16", 2 * 6 * 3600, Decimal("8.64"))]
    assert LedgerEntry.objects.get(item="run").quantity == 1
    assert not PartPostedRun.objects.exists()
    UnpostedRun.objects.create(run_id=run.pk)  # as if the crash came between
    posting.post_all()
    assert days(BEGAN + 90 * HOUR) == 0
    assert len(cpu_entries()) == 4


@pytest.mark.parametrize(
    "ending, after, reason, left",
    [
        ("NODE_LOST", 60, "NODE_LOST: The cluster or the service ended it", 0),
        ("COMPLETED", 29, "It had ended before the end of a day", 29),  # by the cluster's clock, noted later
    ],
)
def test_what_is_not_billed_after_all_is_taken_back(
    priced: Tenant,  # noqa: F811
    ending: str,
    after: int,
    reason: str,
    left: int,
):
    run = running(priced)
    days(BEGAN + 60 * HOUR)
    ends(run, after * HOUR, ending)
    sums = LedgerEntry.objects.filter(item="cpu_hour").aggregate(Sum("quantity"))
    assert sums["quantity__sum"] == left * 2 * 3600
    back = LedgerEntry.objects.filter(source__startswith="reversal:")
    assert back.count() == 6  # of CPU and memory, of three days
    assert {(row.reason.startswith(reason), row.actor) for row in back} == {(True, "SUMO-K8")}
    assert LedgerTotal.objects.get().cpu_seconds == left * 2 * 3600


def test_only_what_was_seen_to_run_is_charged(priced: Tenant):  # noqa: F811
    run = running(priced)
    Job.objects.filter(pk=run.job_id).update(observed_at=datetime(2026, 3, 14, 23, 59, tzinfo=UTC))
    assert days(BEGAN + 60 * HOUR) == 0
    Job.objects.filter(pk=run.job_id).update(observed_at=datetime(2026, 3, 15, tzinfo=UTC))
    assert days(datetime(2026, 3, 15, 23, tzinfo=UTC)) == 1


def test_the_day_of_the_clocks_change_has_its_own_length(tenant: Tenant, settings: Any):
    settings.BILLING_TIME_ZONE = "Europe/Zurich"
    running(tenant, datetime(2026, 3, 28, 12, tzinfo=UTC))
    days(datetime(2026, 3, 30, 12, tzinfo=UTC))
    assert [(day, seconds // 7200) for day, seconds, _ in cpu_entries()] == [("2026-03-28", 11), ("2026-03-29", 23)]


def test_a_budget_reserves_only_what_is_not_charged_yet(priced: Tenant):  # noqa: F811
    Budget.objects.create(tenant=priced, limit=1000, measure="cpu_hours", on_reach="hold")
    run = running(priced)
    days(BEGAN + 60 * HOUR)
    job = Job.objects.get(pk=run.job_id)
    allowance: Allowance = allowances({priced.pk: [job]})[priced.pk]
    assert allowance.cost(job) == 2 * (90 - 54)


def test_a_run_that_cannot_be_posted_keeps_no_other_back(priced: Tenant):  # noqa: F811
    dear = {"item": "cpu_hour", "price": Decimal("999999"), "since": date(2026, 3, 10)}
    PlanPrice.objects.create(plan=PlanPrice.objects.first().plan, **dear)
    bad = ran(priced, cpu=2**31 - 1)
    ran(priced, pod_name="good")
    told: dict[int, str] = {}
    assert posting.post_all(tell=told.__setitem__)
    assert (list(told), UnpostedRun.objects.get().pk) == ([bad.pk], bad.pk)
    assert "overflow" in told[bad.pk]
    assert LedgerEntry.objects.filter(item="run").count() == 1
    assert posting.post_all(left_out=[bad.pk], tell=told.__setitem__)


LIVES = st.lists(
    st.tuples(st.integers(0, 200), st.lists(st.integers(0, 200), max_size=4), st.integers(0, 200), st.booleans()),
    min_size=1,
    max_size=4,
)


class TestSums(TestCase):
    @settings(max_examples=10)
    @given(lives=LIVES)
    def test_the_ledger_is_the_billable_runs_whenever_it_looked(self, lives: list[Any]) -> None:
        tenant = TenantFactory(tenant_id="city-a")
        for began, looks, lasts, billable in lives:
            run = running(tenant, BEGAN + began * HOUR)
            for look in sorted(look for look in looks if look <= lasts):
                post_days(lambda run_id, problem: pytest.fail(problem), run.started_at + look * HOUR)
            ends(run, lasts * HOUR, "COMPLETED" if billable else "LOST")
        expected = sum(2 * 3600 * lasts for _, _, lasts, billable in lives if billable)
        entries = LedgerEntry.objects.filter(item="cpu_hour").aggregate(Sum("quantity"))["quantity__sum"] or 0
        lines = LedgerLine.objects.filter(item="cpu_hour").aggregate(Sum("quantity"))["quantity__sum"] or 0
        assert (entries, lines) == (expected, expected)
        assert not PartPostedRun.objects.exists()
