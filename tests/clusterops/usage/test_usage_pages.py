"""The page of a tenant's usage, and its statements for people."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from clusterops.usage import posting
from clusterops.usage.budget_models import Budget
from tenants.models import Tenant
from tests.clusterops.usage.test_usage_api import ran
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.conftest import client_of as client_of

pytestmark = pytest.mark.django_db
PAGES = ("usage", "usage/days", "statements/2026-11.html", "statements/2026-11.csv")


@pytest.fixture
def viewer(client_of: Who) -> Client:
    return client_of("viewer")


def test_a_month_is_shown_by_what_it_was_used_for(viewer: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    now = datetime.now(UTC)
    ran(tenant, now, 3600, labels={"team": "north"})
    ran(tenant, now, 1800, billable=False)
    ran(other_tenant, now, 36000)
    Budget.objects.create(tenant=tenant, limit=Decimal(10), measure=Budget.Measure.CPU_HOURS)
    posting.post_runs()
    page = viewer.get("/t/city-a/usage").content.decode()
    assert "3.00" in page  # CPU-hours of both
    assert "2.00 billed" in page
    assert "2.00 CPU-hours" in page  # of the budget
    assert "zurich</a>" in page
    assert "north" in viewer.get("/t/city-a/usage?by=label&label=team").content.decode()
    assert "By how it ended" in viewer.get("/t/city-a/usage?by=ending").content.decode()
    days = viewer.get("/t/city-a/usage/days").json()
    assert (sum(days["billed"]), sum(days["unbilled"])) == (2, 1)
    assert len(days["x"]) == len(days["billed"]) >= 28


def test_months_and_groups_that_are_none_are_not_taken(viewer: Client, tenant: Tenant) -> None:
    for query in ("month=1999-01", "month=x", "by=tenant", "by=label&label=a%20b", "by=label"):
        assert viewer.get(f"/t/city-a/usage?{query}").status_code == 200
    assert viewer.get("/t/city-a/statements/2099-01.html").status_code == 404
    assert len(viewer.get("/t/city-a/usage").context["months"]) == 1  # none from before the tenant was made
    Tenant.objects.update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert len(viewer.get("/t/city-a/usage").context["months"]) == 24


def test_statements_are_read_and_saved(viewer: Client, tenant: Tenant) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    assert "Not closed yet" in viewer.get(f"/t/city-a/statements/{month}.html").content.decode()
    assert b"total" in b"".join(viewer.get(f"/t/city-a/statements/{month}.csv"))


@pytest.mark.parametrize(("who", "status"), [("other", 404), ("stranger", 404), ("anonymous", 302), ("staff", 200)])
def test_they_are_the_tenants_own(client_of: Who, tenant: Tenant, who: str, status: int) -> None:
    client = client_of(who)
    month = f"{datetime.now(UTC):%Y-%m}"
    for page in (page.replace("2026-11", month) for page in PAGES):
        assert client.get(f"/t/city-a/{page}").status_code == status, page
        assert client.post(f"/t/city-a/{page}").status_code in {status, 405}, page
