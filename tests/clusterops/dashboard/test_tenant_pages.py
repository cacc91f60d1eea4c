"""The tenants' pages: who waits, which limit is in the way, who changed what."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from simulations.models import Job, Refusal
from simulations.services import refusals
from tenants.models import Change, Tenant
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

Answers = Callable[[object], None]


@pytest.fixture
def crowded(db: None) -> Tenant:
    """Every hour three jobs of ten minutes, and two slots."""
    tenant = TenantFactory(tenant_id="city-a", max_concurrent_jobs=2, max_cpu=8, max_memory_gi=8)
    scenario = ScenarioFactory(tenant=tenant)
    now = timezone.now()
    for hour in range(1, 21):
        for n, waited in enumerate((0, 0, 10)):
            at = now - timedelta(hours=hour)
            began = at + timedelta(minutes=waited)
            JobFactory(
                tenant=tenant, scenario=scenario, status="SUCCEEDED", submitted_at=at + timedelta(seconds=n),
                dispatched_at=began, started_at=began, finished_at=began + timedelta(minutes=10),
            )  # fmt: skip
    return tenant


def test_a_limit_that_would_have_helped_is_set_by_a_button(quota_editor: Client, crowded: Tenant) -> None:
    page = quota_editor.get("/cluster/tenants/city-a/").content.decode()
    assert "3 jobs at a time instead of 2</strong> would have cut the wait from 9 min to 0 s" in page
    assert 'name="max_concurrent_jobs" value="3"' in page
    answer = quota_editor.post("/cluster/tenants/city-a/limits", {"max_concurrent_jobs": "3"}, follow=True)
    assert "Set: concurrent jobs: 2 → 3." in answer.content.decode()
    crowded.refresh_from_db()
    assert crowded.max_concurrent_jobs == 3
    row = Change.objects.first()
    assert row
    assert (row.fields, row.by, row.via) == ({"max_concurrent_jobs": [2, 3]}, "quinn", "admin")


@pytest.mark.parametrize("sent", [{"max_cpu": "0"}, {"max_cpu": "-1"}, {"max_cpu": "9" * 20}, {"weight": "5"}, {}])
def test_nonsense_sets_nothing(quota_editor: Client, tenant: Tenant, sent: dict[str, str]) -> None:
    answer = quota_editor.post("/cluster/tenants/city-a/limits", sent, follow=True)
    assert "Nothing was changed." in answer.content.decode()


def test_who_may_look_may_not_set(support: Client, crowded: Tenant) -> None:
    assert (
        '<form method="post" action="/cluster/tenants/city-a/limits"'
        not in support.get("/cluster/tenants/city-a/").content.decode()
    )
    assert support.post("/cluster/tenants/city-a/limits", {"max_cpu": "9"}).status_code == 403


def test_figures_are_of_the_days_shown(
    support: Client, crowded: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(8):  # session, user, two of permissions; tenant, changes; jobs, refusals
        page = support.get("/cluster/tenants/city-a/").content.decode()
    assert "2 at most" in page
    assert "2 % of the time full" in page  # ten minutes an hour, for twenty hours of seven days
    assert support.get("/cluster/tenants/nobody/").status_code == 404


def test_the_list_is_sorted_by_who_waits_and_cut_to_those_at_a_limit(support: Client, crowded: Tenant) -> None:
    full = TenantFactory(tenant_id="city-b", max_concurrent_jobs=1)
    now = timezone.now()
    JobFactory(tenant=full, status="RUNNING", dispatched_at=now, started_at=now)
    JobFactory(tenant=full, submitted_at=now - timedelta(hours=3))

    def named(query: str) -> list[str]:
        return [row.tenant.pk for row in support.get(f"/cluster/tenants/{query}").context["rows"]]

    assert named("") == ["city-b", "city-a"]
    assert named("?sort=waited") == ["city-a", "city-b"]
    assert named("?at=limit") == ["city-b"]
    assert named("?q=city-a&page=99&sort=other") == ["city-a"]
    Job.objects.filter(status="RUNNING").update(status="SUCCEEDED", finished_at=now)
    assert named("?at=limit") == []


def test_refusals_are_counted(api: APIClient, tenant: Tenant, support: Client) -> None:
    scenario = ScenarioFactory(
        tenant=tenant,
        inspection={"config": "run.sumocfg", "configs": {"run.sumocfg": {"begin": 0, "end": 9, "problems": []}}},
    )
    for _ in range(2):
        body = {"scenario_id": scenario.scenario_id, "cpu_request": 16}
        assert api.post("/jobs", body, format="json").status_code == 422
    assert api.post("/jobs", {"scenario_id": "nowhere"}, format="json").status_code == 404
    assert Refusal.objects.get().count == 2
    assert "Refused: more than its limits" in support.get("/cluster/tenants/city-a/").content.decode()
    Refusal.objects.update(day=timezone.now().date() - timedelta(days=40))
    assert refusals.forget() == 1


def test_changes_are_paged_and_for_those_who_may_look(
    support: Client, staff_client: Client, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterops.dashboard.tenant_pages.PAGE_ROWS", 2)
    for cpu in (11, 12, 13):
        Tenant.objects.update(max_cpu=cpu)
    answer = support.get("/cluster/changes/?tenant=city-a&kind=tenant")
    assert "CPU limit: 12 → 13" in answer.content.decode()
    older = support.get(f"/cluster/changes/?tenant=city-a&cursor={answer.context['older']}").content.decode()
    assert "10 → 11" in older
    assert "12 → 13" not in older
    assert staff_client.get("/cluster/changes/").status_code == 403
    assert support.get("/cluster/changes/?cursor=nonsense").status_code == 200
