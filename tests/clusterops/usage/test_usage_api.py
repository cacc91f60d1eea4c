"""GET /usage and /admin/usage, the command and the admin's page tell the same."""

import csv
import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from clusterops.usage import counting, posting
from clusterops.usage.models import PodRun
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


def ran(tenant: Tenant, ended_at: datetime = NOON, seconds: int = 3600, **columns: Any) -> PodRun:
    billable = columns.setdefault("billable", True)
    return PodRun.objects.create(
        **{"job_id": uuid.uuid4(), "attempt": 1, "pod_name": "p", "cpu": 2, "memory_gi": 4, "scenario_id": "zurich"}
        | {"ending": "COMPLETED" if billable else "NODE_LOST", "tenant": tenant, "tenant_name": tenant.pk}
        | {"started_at": ended_at - timedelta(seconds=seconds), "ended_at": ended_at}
        | columns
    )


def test_a_tenant_sees_what_it_ran_by_day(api: APIClient, tenant: Tenant, other_tenant: Tenant):
    ran(tenant)
    ran(tenant, seconds=1800, billable=False)
    ran(tenant, NOON + timedelta(days=2), cpu=1)
    ran(tenant, datetime(2026, 4, 1, tzinfo=UTC))  # the next period's
    ran(other_tenant)
    answer = api.get("/usage", MARCH).json()
    assert [(each["group"], each["all"]["runs"]) for each in answer["groups"]] == [("2026-03-10", 2), ("2026-03-12", 1)]
    assert answer["total"]["all"] == {
        **{"runs": 3, "seconds": 9000, "cpu_seconds": 14_400, "gib_seconds": 36_000},
        **{"cpu_hours": "4.0000", "gib_hours": "10.0000"},
    }
    assert answer["total"]["billable"]["cpu_seconds"] == 10_800
    assert (answer["from"], answer["to"], answer["time_zone"], answer["more_groups"]) == (
        *MARCH.values(),
        "UTC",
        False,
    )


@pytest.mark.parametrize(
    "asked, groups",
    [
        ({"group_by": "scenario"}, ["bern", "zurich"]),
        ({"group_by": "label", "label": "team"}, ["", "bus"]),
        ({"group_by": "study"}, ["s-1", ""]),
        ({"group_by": "ending"}, ["COMPLETED"]),
    ],
)
def test_the_same_by_other_groups(api: APIClient, tenant: Tenant, asked: dict[str, str], groups: list[str]):
    ran(tenant, labels={"team": "bus"})
    ran(tenant, scenario_id="bern", cpu=8, labels={"study.id": "s-1"})
    answer = api.get("/usage", MARCH | asked).json()
    assert [each["group"] for each in answer["groups"]] == groups


def test_a_day_is_the_billing_zones(api: APIClient, tenant: Tenant, settings):
    settings.BILLING_TIME_ZONE = "Europe/Zurich"
    ran(tenant, datetime(2026, 3, 31, 22, 30, tzinfo=UTC))  # April in Zurich already, in summer time
    ran(tenant, datetime(2026, 3, 31, 21, 30, tzinfo=UTC))
    answer = api.get("/usage", MARCH).json()
    assert [each["group"] for each in answer["groups"]] == ["2026-03-31"]
    assert answer["total"]["all"]["runs"] == 1


def test_there_is_an_end_to_groups(api: APIClient, tenant: Tenant, monkeypatch):
    monkeypatch.setattr(counting, "MAX_GROUPS", 2)
    for cpu in (1, 3, 2):
        ran(tenant, cpu=cpu)
    answer = api.get("/usage", MARCH | {"group_by": "job"}).json()
    assert [each["all"]["cpu_seconds"] for each in answer["groups"]] == [10_800, 7200]
    assert answer["more_groups"]
    assert answer["total"]["all"]["runs"] == 3


@pytest.mark.parametrize(
    "asked, wrong",
    [
        ({"from": "2026-03-01", "to": "2026-03-01"}, "to"),
        ({"from": "2026-03-01", "to": "2027-03-03"}, "to"),
        ({"from": "9999-12-31"}, "to"),
        ({"from": "0001-01-01", "to": "0001-01-02"}, "to"),
        ({"from": "yesterday"}, "from"),
        ({"group_by": "label"}, "label"),
        ({"group_by": "label", "label": "a'; --"}, "label"),
        ({"group_by": "tenant"}, "group_by"),
        ({"tenant": "city-b"}, "tenant"),
    ],
)
def test_what_cannot_be_answered_is_refused(api: APIClient, asked: dict[str, str], wrong: str):
    answer = api.get("/usage", asked)
    assert answer.status_code == 400
    assert wrong in json.dumps(answer.json()["error"]["details"])


def test_admins_see_all_tenants(admin_api: APIClient, api: APIClient, tenant: Tenant, other_tenant: Tenant):
    ran(tenant)
    ran(other_tenant, cpu=8)
    answer = admin_api.get("/admin/usage", MARCH).json()
    assert [each["group"] for each in answer["groups"]] == ["city-b", "city-a"]
    only = admin_api.get("/admin/usage", MARCH | {"tenant": "city-a", "group_by": "scenario"}).json()
    assert only["total"]["all"]["cpu_seconds"] == 7200
    assert api.get("/admin/usage").status_code == 403
    assert admin_api.get("/usage").status_code == 403


def statement(*arguments: str) -> str:
    out = io.StringIO()
    call_command("statement", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_tells_the_same(tenant: Tenant):
    ran(tenant)
    ran(tenant, billable=False)
    told = statement("city-a", "--month", "2026-03")
    assert "2026-03-01 up to, not including, 2026-04-01 (UTC)" in told
    assert told.splitlines()[-1].split() == ["total", "2", "4.0000", "8.0000", "1", "2.0000", "4.0000"]
    rows = list(csv.DictReader(io.StringIO(statement("city-a", "--month", "2026-03", "--format", "csv"))))
    assert (rows[-1]["day"], rows[-1]["cpu_seconds"], rows[-1]["billable_cpu_seconds"]) == ("total", "14400", "7200")
    [day, whole] = json.loads(statement("city-a", "--month", "2026-03", "--format", "json"))
    assert (day["day"], day["all"], whole["billable"]["runs"]) == ("2026-03-10", whole["all"], 1)
    with pytest.raises(CommandError, match="YYYY-MM"):
        statement("city-a", "--month", "2026-13")
    assert statement("city-a").splitlines()[-1].split()[1] == "0"


def test_staff_look_at_the_rows_and_write_none(support: Client, tenant: Tenant):
    row = ran(tenant, billable=False)
    page = support.get("/admin/usage/podrun/").content.decode()
    assert "city-a" in page
    assert "1:00:00" in page
    single = support.get(f"/admin/usage/podrun/{row.pk}/change/").content.decode()
    assert "The cluster or the service ended it" in single
    assert support.post(f"/admin/usage/podrun/{row.pk}/delete/").status_code == 403


def test_staff_see_a_month_of_all_tenants(support: Client, client: Client, tenant: Tenant, other_tenant: Tenant):
    ran(tenant)
    ran(other_tenant, cpu=8, seconds=4 * 3600)
    posting.post_runs()
    browser = {"Accept": "text/html"}
    page = support.get("/admin/usage?month=2026-03&sort=cpu", headers=browser).content.decode()
    assert page.index(">city-b<") < page.index(">city-a<")
    assert ">34.00<" in page  # CPU-hours of both
    rows = support.get("/admin/usage.csv?month=2026-03").streaming_content
    told = {row["tenant_id"]: row for row in csv.DictReader(io.StringIO(b"".join(rows).decode()))}
    assert (told["city-b"]["cpu_hours"], told["city-b"]["cost"]) == ("32.0000", "")
    assert support.get("/admin/usage?month=2099-01&page=x&sort=x", headers=browser).status_code == 200  # the present
    assert client.get("/admin/usage", headers=browser).status_code == 302
    client.force_login(User.objects.create_user("nora", is_staff=True))
    assert client.get("/admin/usage", headers=browser).status_code == 403
    assert client.get("/admin/usage.csv").status_code == 403
