"""The ledger's sum is what ran and is billed, to the second; nothing in it changes; closed months stay as they are."""

import hashlib
import json
import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Sum
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clusterops.usage import posting, statements
from clusterops.usage.adjusting import correct, credit
from clusterops.usage.counting import total
from clusterops.usage.ledger import LedgerEntry, LedgerTotal, Statement, amount_of, closes_at
from clusterops.usage.models import PodRun
from simulations.models import TenantStorage
from tenants.models import Plan, PlanAssignment, PlanPrice, Tenant
from tests.clusterops.usage.test_usage_api import NOON, ran
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def priced(tenant: Tenant) -> Tenant:
    """Since the year's begin 0.36 a CPU-hour; since 15 March 0.72."""
    plan = Plan.objects.create(name="standard")
    PlanAssignment.objects.create(tenant=tenant, plan=plan, since=date(2026, 1, 1), is_applied=True)
    for since, price in ((date(2026, 1, 1), "0.36"), (date(2026, 3, 15), "0.72")):
        PlanPrice.objects.create(plan=plan, item="cpu_hour", price=Decimal(price), since=since)
    return tenant


RUNS = st.lists(
    st.tuples(
        st.integers(0, 90 * 86_400), st.integers(0, 86_400), st.integers(1, 64), st.integers(1, 512), st.booleans()
    ),
    max_size=12,
)


class TestSums(TestCase):
    @settings(max_examples=15)
    @given(runs=RUNS, batch=st.integers(1, 5))
    def test_the_ledger_is_the_billable_runs(self, runs: list[Any], batch: int) -> None:
        tenant = TenantFactory(tenant_id="city-a")
        for after, seconds, cpu, memory_gi, billable in runs:
            ended_at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=after + seconds)
            ran(tenant, ended_at, seconds, cpu=cpu, memory_gi=memory_gi, billable=billable)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(posting, "BATCH", batch)
            assert posting.post_all()
            assert posting.post_runs() == 0
        billed = total(PodRun.objects.ended()).billable
        sums = dict(LedgerEntry.objects.order_by().values_list("item").annotate(Sum("quantity")))
        told = (sums.get("cpu_hour", 0), sums.get("gib_hour", 0), sums.get("run", 0))
        assert told == (billed.cpu_seconds, billed.gib_seconds, billed.runs)
        kept = LedgerTotal.objects.aggregate(Sum("cpu_seconds"))["cpu_seconds__sum"] or 0
        assert kept == billed.cpu_seconds


def test_posting_twice_changes_nothing(priced: Tenant):
    run = ran(priced)
    assert [posting.post_runs(), posting.post_runs()] == [1, 0]
    before = list(LedgerEntry.objects.values())
    posting.UnpostedRun.objects.create(run_id=run.pk)  # as if the crash came between the two
    posting.post_runs()
    assert list(LedgerEntry.objects.values()) == before
    assert LedgerTotal.objects.get().cpu_seconds == 7200


def test_a_run_costs_the_price_of_its_day(priced: Tenant):
    ran(priced)  # 2 CPUs for an hour, on 10 March
    ran(priced, NOON + timedelta(days=5))
    posting.post_runs()
    amounts = LedgerEntry.objects.filter(item="cpu_hour").order_by("day").values_list("amount", flat=True)
    assert list(amounts) == [Decimal("0.72"), Decimal("1.44")]
    assert LedgerEntry.objects.filter(item="gib_hour", price=None, amount=None).count() == 2


def test_amounts_are_rounded_half_to_even():
    assert amount_of("cpu_hour", 1, Decimal("0.0018")) == Decimal("0.000000")
    assert amount_of("cpu_hour", 1, Decimal("0.0054")) == Decimal("0.000002")
    assert amount_of("run", 3, Decimal("0.1")) == Decimal("0.3")


def test_storage_is_charged_once_a_day(priced: Tenant, monkeypatch: pytest.MonkeyPatch):
    TenantStorage.objects.create(tenant=priced, result_bytes=2**30, scenario_bytes=2**29)
    assert [posting.post_storage(), posting.post_storage()] == [1, 0]
    assert LedgerEntry.objects.get().quantity == 3 * 2**29
    monkeypatch.setattr(posting, "billing_today", lambda: date(2099, 1, 1))
    assert posting.post_storage() == 1


def test_the_ledger_is_never_changed(priced: Tenant):
    ran(priced)
    posting.post_runs()
    entries = LedgerEntry.objects.all()
    for change in (lambda: entries.update(amount=0), entries.delete):
        with pytest.raises(IntegrityError, match="neither changed nor deleted"), transaction.atomic():
            change()


def test_a_closed_month_never_changes(priced: Tenant):
    ran(priced)
    with pytest.raises(statements.TooEarly):
        statements.close("2026-03", now=datetime(2026, 4, 2, 23, 59, tzinfo=UTC))
    assert statements.close("2026-03", now=datetime(2026, 4, 3, tzinfo=UTC)) == 1
    kept = Statement.objects.get()
    assert hashlib.sha256(kept.body.encode()).hexdigest() == kept.sha256
    assert json.loads(kept.body)["total"] == "0.72"
    ran(priced, NOON + timedelta(hours=1))  # noted only after the month was closed
    posting.post_runs()
    late = LedgerEntry.objects.order_by("-id").first()
    assert (late.day, late.period > "2026-03") == (date(2026, 3, 10), True)
    told = statements.statement("city-a", "2026-03")
    assert (told["total"], told["closed"], told["sha256"]) == ("0.72", True, kept.sha256)
    assert statements.close("2026-03") == 0
    with pytest.raises(IntegrityError, match="closed"), transaction.atomic():
        LedgerEntry.objects.create(
            tenant_name="x", source="by-hand", item="run", quantity=1, currency="EUR", day=late.day, period="2026-03"
        )
    with pytest.raises(IntegrityError, match="neither changed"), transaction.atomic():
        Statement.objects.update(total=0)


@pytest.mark.parametrize(("period", "hours"), [("2026-03", 743), ("2026-10", 745), ("2026-11", 720)])
def test_months_of_the_clocks_change(settings: Any, period: str, hours: int):
    settings.BILLING_TIME_ZONE = "Europe/Zurich"
    before = {"2026-03": "2026-02", "2026-10": "2026-09", "2026-11": "2026-10"}[period]
    assert closes_at(period) - closes_at(before) == timedelta(hours=hours)


def test_a_run_at_the_months_end_is_its_zones(settings: Any, priced: Tenant):
    settings.BILLING_TIME_ZONE = "Europe/Zurich"
    ran(priced, datetime(2026, 3, 31, 21, 59, 59, tzinfo=UTC))
    ran(priced, datetime(2026, 3, 31, 22, 0, 0, tzinfo=UTC))
    posting.post_runs()
    runs = LedgerEntry.objects.filter(item="run").order_by("id")
    assert list(runs.values_list("period", flat=True)) == ["2026-03", "2026-04"]


def test_due_months_are_closed_in_order(priced: Tenant):
    ran(priced, datetime(2026, 1, 10, tzinfo=UTC))
    ran(priced)
    posting.post_runs()
    now = datetime(2026, 4, 20, tzinfo=UTC)
    assert statements.close_due(now) == ["2026-01", "2026-02", "2026-03"]
    assert statements.close_due(now) == []
    assert Statement.objects.count() == 2


def test_a_month_that_was_left_out_is_closed_too_and_takes_what_is_late(priced: Tenant):
    ran(priced, datetime(2026, 1, 10, tzinfo=UTC))
    posting.post_runs()
    now = datetime(2026, 4, 20, tzinfo=UTC)
    for month in ("2026-01", "2026-03"):
        statements.close(month, now=now)
    ran(priced, datetime(2026, 1, 11, tzinfo=UTC))
    posting.post_runs()
    assert LedgerEntry.objects.order_by("-id").first().period == "2026-02"
    assert statements.close_due(now) == ["2026-02"]


def test_a_credit_is_not_corrected_by_a_quantity(priced: Tenant):
    row = credit(priced, Decimal(-5), reason="sorry", actor="ops", key="t-1")
    with pytest.raises(ValidationError, match="no quantity"):
        correct(row.pk, quantity=5, reason="r", actor="ops")


def test_a_correction_is_a_reversal_and_a_new_row(priced: Tenant):
    ran(priced)
    posting.post_runs()
    wrong = LedgerEntry.objects.get(item="cpu_hour")
    with pytest.raises(ValidationError, match="why and who"):
        correct(wrong.pk, quantity=3600, reason=" ", actor="ops")
    correct(wrong.pk, quantity=3600, reason="counted twice", actor="ops")
    rows = LedgerEntry.objects.filter(item="cpu_hour").order_by("id").values_list("quantity", "amount")
    assert list(rows) == [(7200, Decimal("0.72")), (-7200, Decimal("-0.72")), (3600, Decimal("0.36"))]
    with pytest.raises(ValidationError, match="reversed before"):
        correct(wrong.pk, quantity=None, reason="again", actor="ops")
    key = uuid.uuid4().hex
    for _ in range(2):
        credit(priced, Decimal("-0.10"), reason="sorry", actor="ops", key=key)
    assert statements.content("city-a", "2026-03")["total"] == "0.36"
    assert LedgerEntry.objects.filter(item="credit").count() == 1


def test_an_erased_tenants_rows_stay(tenant: Tenant):
    ran(tenant)
    posting.post_runs()
    PodRun.objects.update(tenant=None)
    tenant.delete()
    assert LedgerEntry.objects.filter(tenant=None, tenant_name="city-a").count() == 3


def test_another_currency_stops_posting(priced: Tenant, settings: Any):
    ran(priced)
    posting.post_runs()
    settings.BILLING_CURRENCY = "CHF"
    with pytest.raises(posting.CurrencyChanged, match="in EUR"):
        posting.post_runs()
