"""Plans: whose limits follow, which stay own, from when on, and what staff see before a plan is changed."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from tenants.models import Plan, PlanAssignment, PlanPrice, Tenant
from tenants.plans import billing_today
from tenants.services import apply_due_plans, assign_plan
from tests.factories import TENANT_FORM, TenantFactory

pytestmark = pytest.mark.django_db
TOMORROW = timedelta(days=1)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def standard(db: None) -> Plan:
    return Plan.objects.create(name="standard", max_cpu=16, max_memory_gi=64, requests_per_minute=60)


def test_without_a_plan_all_is_own_or_the_services(tenant: Tenant):
    assert (tenant.sources["max_cpu"], tenant.sources["requests_per_minute"]) == ("own", "service")


def test_a_plans_limits_follow_but_for_those_kept(tenant: Tenant, standard: Plan):
    before = tenant.max_memory_gi
    assign_plan(tenant=tenant, plan=standard, keeps=["max_memory_gi"])
    tenant.refresh_from_db()
    assert (tenant.max_cpu, tenant.max_memory_gi, tenant.requests_per_minute) == (16, before, 60)
    assert (tenant.sources["max_cpu"], tenant.sources["max_memory_gi"]) == ("plan", "own")
    standard.max_cpu, standard.max_memory_gi = 20, 99
    standard.save()
    assert standard.hand_down() == 1
    tenant.refresh_from_db()
    assert (tenant.max_cpu, tenant.max_memory_gi) == (20, before)


def test_own_limits_by_command_and_back(tenant: Tenant, standard: Plan):
    run("assign_plan", "city-a", "standard")
    assert "max_cpu 16 → 40" in run("set_limits", "city-a", "--max-cpu", "40")
    tenant.refresh_from_db()
    assert tenant.own_limits == ["max_cpu"]
    assert "max_cpu 40 → 16" in run("set_limits", "city-a", "--inherit")
    tenant.refresh_from_db()
    assert (tenant.own_limits, tenant.max_cpu) == ([], 16)
    run("assign_plan", "city-a", "none")
    tenant.refresh_from_db()
    assert (tenant.plan, tenant.max_cpu) == (None, 16)
    with pytest.raises(CommandError, match="no plan to inherit"):
        run("set_limits", "city-a", "--inherit", "max_cpu")


def test_keeping_what_differs_changes_no_figure(tenant: Tenant, standard: Plan):
    before = tenant.limits
    run("assign_plan", "city-a", "standard", "--keep")
    tenant.refresh_from_db()
    assert tenant.limits == before
    assert tenant.sources["max_concurrent_jobs"] == "plan"


def test_a_plan_to_come_waits_for_its_day(tenant: Tenant, standard: Plan, monkeypatch: pytest.MonkeyPatch):
    today = billing_today()
    made = assign_plan(tenant=tenant, plan=standard, since=today + TOMORROW)
    assert apply_due_plans() == 0
    monkeypatch.setattr("tenants.services.billing_today", lambda: today + TOMORROW)
    assert (apply_due_plans(), apply_due_plans()) == (1, 0)
    made.refresh_from_db()
    tenant.refresh_from_db()
    assert (made.is_applied, tenant.max_cpu) == (True, 16)
    with pytest.raises(ValidationError, match="today or later"):
        assign_plan(tenant=tenant, plan=None, since=today - TOMORROW)


def test_a_plan_whose_day_came_does_not_undo_a_later_one(
    tenant: Tenant, standard: Plan, monkeypatch: pytest.MonkeyPatch
):
    """The reconciler was away, or had not looked yet, when somebody gave another plan."""
    today = billing_today()
    waiting = assign_plan(tenant=tenant, plan=standard, since=today + TOMORROW)
    monkeypatch.setattr("tenants.services.billing_today", lambda: today + TOMORROW)
    assign_plan(tenant=tenant, plan=Plan.objects.create(name="large", max_cpu=99))
    assert apply_due_plans() == 0
    tenant.refresh_from_db()
    waiting.refresh_from_db()
    assert (str(tenant.plan), tenant.max_cpu, waiting.is_applied) == ("large", 99, True)


def test_prices_are_superseded_never_edited(standard: Plan):
    run("create_plan", "standard", "--price", "cpu_hour=0.05")
    run("create_plan", "standard", "--price", "cpu_hour=0.05")
    [row] = PlanPrice.objects.all()
    assert row.price == Decimal("0.05")
    for change in (lambda: PlanPrice.objects.update(price=1), lambda: PlanPrice.objects.all().delete()):
        with pytest.raises(IntegrityError, match="neither changed nor deleted"), transaction.atomic():
            change()
    with pytest.raises(CommandError, match="by the prices of its day"):
        run("create_plan", "standard", "--price", "run=1", "--since", "2020-01-01")
    with pytest.raises(CommandError, match="no amount"):
        run("create_plan", "standard", "--price", "run=free")


def test_what_a_plan_would_change(tenant: Tenant, standard: Plan):
    run("assign_plan", "city-a", "standard")
    said = run("create_plan", "standard", "--max-cpu", "8", "--dry-run")
    assert "city-a: max_cpu 16 → 8" in said
    assert Plan.objects.get().max_cpu == 16
    assert "1 tenant(s) follow" in run("create_plan", "standard", "--max-cpu", "8")
    assert Tenant.objects.get().max_cpu == 8


def test_saving_a_plan_first_lists_who_is_affected(quota_editor: Any, tenant: Tenant, standard: Plan):
    assign_plan(tenant=tenant, plan=standard)
    TenantFactory(tenant_id="city-z")
    page = reverse("admin:tenants_plan_change", args=[standard.pk])
    inline = {"prices-TOTAL_FORMS": 0, "prices-INITIAL_FORMS": 0, "requests_per_minute": 60}
    form = {name: value for name, value in TENANT_FORM.items() if name != "is_active"} | inline | {"max_memory_gi": 64}
    asked = quota_editor.post(page, form)
    text = asked.content.decode()
    assert "city-a" in text
    assert "city-z" not in text
    assert "16 → <strong>10</strong>" in text
    assert Plan.objects.get().max_cpu == 16
    answer = quota_editor.post(page, form | {"_confirmed": "1"}, follow=True)
    assert "The limits of 1 tenant(s) follow" in " ".join(map(str, answer.context["messages"]))
    tenant.refresh_from_db()
    assert tenant.max_cpu == 10


def test_a_tenants_page_marks_what_is_edited_as_own(quota_editor: Any, tenant: Tenant, standard: Plan):
    page = reverse("admin:tenants_tenant_change", args=["city-a"])
    of_plan = TENANT_FORM | {"plan": standard.pk}
    quota_editor.post(page, of_plan)
    tenant.refresh_from_db()
    assert (tenant.max_cpu, tenant.own_limits) == (16, [])
    assert PlanAssignment.objects.get().made_by == "quinn"
    of_plan |= {"max_cpu": 12, "max_memory_gi": 64, "requests_per_minute": 60}
    quota_editor.post(page, of_plan)
    tenant.refresh_from_db()
    assert (tenant.max_cpu, tenant.own_limits) == (12, ["max_cpu"])
    assert "Own: CPU limit" in quota_editor.get(page).content.decode()
    quota_editor.post(page, of_plan | {"follow_plan": ["max_cpu"]})
    tenant.refresh_from_db()
    assert (tenant.max_cpu, tenant.own_limits) == (16, [])


def test_the_tenant_reads_whose_limits_they_are(api: Any, tenant: Tenant, standard: Plan, settings: Any):
    settings.TENANT_MAX_RESULT_BYTES = 2**31
    assign_plan(tenant=tenant, plan=standard, keeps=["max_cpu"])
    told = api.get("/tenant").json()
    assert told["plan"] == "standard"
    assert told["limits"]["max_cpu"] == {"value": tenant.max_cpu, "source": "own"}
    assert told["limits"]["max_memory_gi"] == {"value": 64, "source": "plan"}
    assert told["limits"]["max_result_gib"] == {"value": 2.0, "source": "service"}
    assert told["limits"]["request_burst"] == {"value": 20, "source": "service"}


def test_a_tenants_own_rate(api: Any, tenant: Tenant, settings: Any):
    settings.RATE_LIMIT_PER_MINUTE = 0
    Tenant.objects.update(requests_per_minute=2, request_burst=1)
    assert [api.get("/tenant").status_code for _ in range(2)] == [200, 429]
    Tenant.objects.update(requests_per_minute=None)
    assert "X-RateLimit-Limit" not in api.get("/tenant")


def test_a_tenant_goes_with_its_plans_history(superuser: Any, tenant: Tenant, standard: Plan):
    assign_plan(tenant=tenant, plan=standard)
    superuser.post(reverse("admin:tenants_tenant_delete", args=["city-a"]), {"post": "yes"})
    assert not PlanAssignment.objects.exists()
    assert Plan.objects.exists()


def test_what_is_typed_for_a_new_tenant_with_a_plan_is_its_own(quota_editor: Any, standard: Plan):
    form = TENANT_FORM | {"tenant_id": "city-q", "plan": standard.pk, "max_cpu": 40}
    quota_editor.post(reverse("admin:tenants_tenant_add"), form)
    made = Tenant.objects.get(pk="city-q")
    assert (made.max_cpu, made.max_memory_gi, made.own_limits) == (40, 64, ["max_cpu"])
