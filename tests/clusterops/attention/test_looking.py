"""Who is told what of the list; how each cause comes and goes is in `reconciler/test_attention.py`."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from clusterops.attention import look
from clusterops.gateway.snapshot_cache import LatestSnapshot
from clusterops.models import AttentionSilence, ReconcilerState
from tenants.models import Tenant
from tests.clusterops.dashboard.conftest import cluster_answers as cluster_answers
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now


def ago(**span: float) -> Any:
    return NOW() - timedelta(**span)


def causes() -> dict[str, int]:
    return {each.cause.code: each.count for each in look().findings}


@pytest.fixture(autouse=True)
def healthy(db: None) -> None:
    now = NOW()
    ReconcilerState.objects.create(pk=1, pass_finished_at=now, last_success_at=now, cluster_reachable=True)


def jobs(count: int = 1, **columns: Any) -> None:
    tenant = Tenant.objects.filter(pk="city-a").first() or TenantFactory(tenant_id="city-a")
    scenario = ScenarioFactory(tenant=tenant)
    JobFactory.create_batch(count, tenant=tenant, scenario=scenario, **columns)


def failed(reason: str, count: int = 1, minutes: float = 10) -> None:
    jobs(count, status="FAILED", reason=reason, finished_at=ago(minutes=minutes))


def test_what_this_process_cannot_see_is_told_too() -> None:
    assert [each.cause.code for each in look(LatestSnapshot(None, reachable=False, problem="refused")).findings] == [
        "cluster_unreachable"
    ]


def test_a_silence_is_of_one_tenant_or_all_and_ends() -> None:
    failed("IMAGE_ERROR")
    silence = AttentionSilence.objects.create(cause="image_error", tenant_id="city-a", until=NOW() + timedelta(hours=1))
    assert causes() == {}
    JobFactory(status="FAILED", reason="IMAGE_ERROR", finished_at=NOW())
    assert causes() == {"image_error": 1}
    AttentionSilence.objects.filter(pk=silence.pk).update(tenant=None)
    assert causes() == {}
    AttentionSilence.objects.update(until=ago(seconds=1))
    assert causes() == {"image_error": 2}


def test_a_long_queue_costs_no_more(django_assert_max_num_queries: Any) -> None:
    jobs(30)
    with django_assert_max_num_queries(12):
        look()


def test_admins_read_it(admin_api: APIClient, api: APIClient, cluster_answers: Any) -> None:
    assert admin_api.get("/admin/attention").json() == {"findings": [], "silenced": []}
    failed("IMAGE_ERROR", 2)
    (found,) = admin_api.get("/admin/attention").json()["findings"]
    assert (found["cause"], found["who"], found["severity"], found["count"]) == ("image_error", "operator", "bad", 2)
    assert found["tenants"][0]["tenant_id"] == "city-a"
    assert api.get("/admin/attention").status_code == 403
