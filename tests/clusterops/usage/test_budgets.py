"""Budgets: told once a share, held before a start with what is reserved, refused where that was agreed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.urls import reverse

from clusterops.policy.capacity import Capacity
from clusterops.policy.fair_share import Claim
from clusterops.policy.queue import Room, turns
from clusterops.reconciler.shares import half_life
from clusterops.usage import posting
from clusterops.usage.budget_models import Budget
from clusterops.usage.budgets import allowances, watch
from simulations.models import Job, Notice
from tenants.models import Plan, PlanAssignment, PlanPrice, Tenant
from tests.clusterops.usage.test_usage_api import ran
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db
AN_HOUR = {"time_limit_s": 3600}


@pytest.fixture
def paying(tenant: Tenant) -> Tenant:
    """1 for a CPU-hour, 0.50 for a run."""
    plan = Plan.objects.create(name="standard")
    PlanAssignment.objects.create(tenant=tenant, plan=plan, since=date(2026, 1, 1), is_applied=True)
    for item, price in (("cpu_hour", 1), ("run", Decimal("0.5"))):
        PlanPrice.objects.create(plan=plan, item=item, price=price, since=date(2026, 1, 1))
    return tenant


def used(tenant: Tenant, hours: int) -> None:
    """So many hours of two CPUs, just now: 2.50 for one."""
    ran(tenant, datetime.now(UTC), hours * 3600)
    posting.post_runs()


def told() -> list[int]:
    notices = Notice.objects.filter(kind="budget.reached").order_by("at", "notice_id")
    return sorted(notice.data["percent"] for notice in notices)


def first_turn(tenant: Tenant, queued: list[Job], started: list[Job] = ()) -> list[tuple[str, str]]:
    room = Room.of(tenant, started)
    room.allowance = allowances({tenant.pk: [*started, *queued]}).get(tenant.pk)
    for job in started:
        room.allowance.take(job)
    found = turns(
        {tenant.pk: queued}, {tenant.pk: room}, {tenant.pk: tenant}, {tenant.pk: Claim()}, Capacity(), half_life()
    )
    return [(turn.reason, turn.why) for turn in found]


def test_each_share_is_told_once_and_anew_for_a_new_limit(paying: Tenant):
    budget = Budget.objects.create(tenant=paying, limit=5, alert_at=[40, 80])
    assert watch() == 0
    used(paying, 1)
    assert (watch(), watch(), told()) == (1, 0, [40])
    used(paying, 2)
    assert (watch(), told()) == (2, [40, 80, 100])
    budget.limit = 10
    budget.save()
    assert (watch(), told()) == (1, [40, 40, 80, 100])
    [notice] = Notice.objects.filter(data__percent=80)
    assert notice.data["used"] == "7.00"
    assert notice.data["currency"] == "EUR"


def test_a_job_is_held_by_what_is_used_reserved_and_asked_for(paying: Tenant):
    Budget.objects.create(tenant=paying, limit=5, on_reach="hold")
    used(paying, 1)  # 2.50
    started = JobFactory(tenant=paying, cpu_request=1, scenario_data=AN_HOUR, status="RUNNING")  # up to 1.50
    waits = JobFactory(tenant=paying, cpu_request=1, scenario_data=AN_HOUR)
    assert first_turn(paying, [waits]) == [("QUEUED", "")]
    [(reason, why)] = first_turn(paying, [waits], [started])
    assert reason == "BUDGET_REACHED"
    assert "2.50 of 5.00 EUR are used, 1.50 reserved for jobs that run" in why
    short = JobFactory(tenant=paying, cpu_request=1, scenario_data={"time_limit_s": 60})
    assert first_turn(paying, [short], [started]) == [("QUEUED", "")]


def test_cpu_hours_need_no_prices(tenant: Tenant):
    Budget.objects.create(tenant=tenant, limit=3, measure="cpu_hours", on_reach="hold", alert_at=[50])
    used(tenant, 1)  # 2 CPU-hours
    assert (watch(), told()) == (1, [50])
    one, two = (JobFactory(tenant=tenant, cpu_request=cpu, scenario_data=AN_HOUR) for cpu in (1, 2))
    assert first_turn(tenant, [one]) == [("QUEUED", "")]
    assert first_turn(tenant, [two])[0][0] == "BUDGET_REACHED"


def test_new_jobs_are_refused_until_the_budget_is_raised(api: Any, paying: Tenant):
    budget = Budget.objects.create(tenant=paying, limit=2, on_reach="refuse")
    used(paying, 1)
    watch()
    answer = api.post("/jobs", {"scenario_id": "town"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "budget.reached")
    assert "2.00 EUR" in api.get("/tenant").json()["refused_because"]
    budget.limit = 20
    budget.save()
    watch()
    assert api.post("/jobs", {"scenario_id": "town"}, format="json").status_code == 404


def test_a_held_job_is_told_as_a_budget_that_is_used_up(paying: Tenant):
    budget = Budget.objects.create(tenant=paying, limit=5, on_reach="refuse", alert_at=[80])
    used(paying, 1)
    job = JobFactory(tenant=paying, cpu_request=4, scenario_data=AN_HOUR)
    [(reason, why)] = first_turn(paying, [job])
    job.move_to("PENDING", reason=reason, message=f"Attempt 2 of 3: {why}")
    assert (watch(), told()) == (1, [100])
    budget.limit = 50  # the job still says what held it until its next turn
    budget.save()
    assert (watch(), told()) == (0, [100])
    paying.refresh_from_db()
    assert paying.refused_because == ""


def test_a_months_own_budget_takes_the_place_of_every_months(paying: Tenant):
    used(paying, 1)
    Budget.objects.create(tenant=paying, limit=1)
    Budget.objects.create(tenant=paying, limit=100, period=f"{datetime.now(UTC):%Y-%m}")
    assert watch() == 0


def test_shares_are_percentages(paying: Tenant):
    for wrong in ("80", [0], [101], [True], list(range(1, 20))):
        with pytest.raises(ValidationError, match="whole percentages"):
            Budget(tenant=paying, limit=1, alert_at=wrong).full_clean()


def test_quota_editors_set_budgets_and_support_looks(quota_editor: Any, support: Any, paying: Tenant):
    form = {
        "tenant": "city-a",
        "period": "",
        "measure": "amount",
        "limit": "50",
        "alert_at": "50, 80 %",
        "on_reach": "hold",
    }
    add = reverse("admin:usage_budget_add")
    assert "amount, in EUR" in quota_editor.get(add).content.decode()
    for wrong in ("[80]", "101"):
        assert "whole percentages" in quota_editor.post(add, form | {"alert_at": wrong}).content.decode()
    quota_editor.post(add, form)
    budget = Budget.objects.get()
    assert (budget.limit, budget.alert_at) == (50, [50, 80])
    page = reverse("admin:usage_budget_change", args=[budget.pk])
    assert 'value="50, 80"' in quota_editor.get(page).content.decode()
    quota_editor.post(page, form | {"alert_at": "50,80", "limit": "60"})
    assert LogEntry.objects.first().change_message == "limit: 50.00 → 60"
    listed = reverse("admin:usage_budget_changelist")
    assert "0.00 EUR" in support.get(listed).content.decode()
    used(paying, 1)
    assert "2.50 EUR" in support.get(listed).content.decode()
    assert support.get(reverse("admin:usage_budget_add")).status_code == 403
