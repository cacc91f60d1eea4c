"""Pages of plans, budgets and statements in the browser: sound on a telephone, in light and dark."""

from datetime import date

from django.urls import reverse
from playwright.sync_api import Page, expect

from clusterops.usage.ledger import Statement
from tenants.models import Plan
from tests import generated_month
from tests.browser.conftest import accessibility_faults


def test_pages_are_sound(signed_in: Page) -> None:
    generated_month.make(date(2026, 3, 1), 31, runs_a_day=2)
    plan = Plan.objects.get(name="standard")
    statement = Statement.objects.earliest("tenant_name")
    page = signed_in
    page.set_viewport_size({"width": 390, "height": 850})
    for number, address in enumerate(
        (
            reverse("admin:usage_statement_page", args=[statement.pk]),
            reverse("admin:tenants_tenant_change", args=["bern"]),
            "/admin/usage?month=2026-03",
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
