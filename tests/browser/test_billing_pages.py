"""Pages of plans, budgets and statements in the browser: sound on a telephone, in light and dark."""

from datetime import UTC, date, datetime
from decimal import Decimal

from django.urls import reverse
from playwright.sync_api import Page, expect

from clusterops.usage import posting, statements
from clusterops.usage.ledger import Budget, Statement
from tenants.models import Plan, PlanAssignment, PlanPrice, Tenant
from tests.browser.conftest import accessibility_faults
from tests.clusterops.usage.test_usage_api import ran
from tests.factories import TenantFactory


def month() -> tuple[Plan, Statement]:
    """Two tenants of a plan, and a closed March."""
    plan = Plan.objects.create(name="standard", description="For cities.", max_cpu=16)
    for item, price in (("cpu_hour", "0.05"), ("gib_hour", "0.006"), ("run", "0.01")):
        PlanPrice.objects.create(plan=plan, item=item, price=Decimal(price), since=date(2026, 1, 1))
    for name in ("city-a", "city-b"):
        tenant: Tenant = TenantFactory(tenant_id=name, plan=plan, own_limits=["max_queued_jobs"])
        PlanAssignment.objects.create(tenant=tenant, plan=plan, since=date(2026, 1, 1), is_applied=True)
        for day in range(1, 20):
            ran(tenant, datetime(2026, 3, day, 12, tzinfo=UTC), 3600 * day)
        Budget.objects.create(tenant=tenant, limit=100, alert_at=[50, 80], on_reach="hold")
    plan.hand_down()
    posting.post_all()
    statements.close("2026-03", now=datetime(2026, 4, 3, tzinfo=UTC))
    return plan, Statement.objects.earliest("tenant_name")


def test_pages_are_sound(signed_in: Page) -> None:
    plan, statement = month()
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 850})
    for number, address in enumerate(
        (
            reverse("admin:usage_statement_page", args=[statement.pk]),
            reverse("admin:tenants_tenant_change", args=["city-a"]),
            reverse("admin:tenants_plan_change", args=[plan.pk]),
        )
    ):
        page.emulate_media(color_scheme="dark" if number % 2 else "light")
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
        # A statement is a document in a sandbox, where no script runs, not even the test's.
        faults = accessibility_faults(page) if number else []
        assert not faults, f"{address}:\n" + "\n".join(faults)
    page.get_by_label("CPU limit").fill("8")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Change plan standard?")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(2)
    assert not accessibility_faults(page)
    page.get_by_role("button", name="Change the plan and these tenants").click()
    expect(page.get_by_text("The limits of 2 tenant(s) follow")).to_be_visible()
