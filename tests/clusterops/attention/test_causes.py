"""Each cause: provoked on rows, seen in the list, and gone when it is mended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from clusterops.attention import look
from clusterops.gateway.snapshot_cache import LatestSnapshot
from clusterops.models import AttentionSilence, ReconcilerState, TenantNamespace
from clusterops.policy.causes import CAUSES
from clusterops.policy.sentences import NOTHING_FITS, POOL_FULL
from simulations.models import Job, TenantStorage
from simulations.webhooks.models import Endpoint
from tenants.clusters import Cluster
from tenants.models import ApiKey, Tenant
from tests.clusterops.dashboard.conftest import cluster_answers as cluster_answers
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

pytestmark = pytest.mark.django_db
NOW = timezone.now
HEALTHY = {
    "pass_finished_at": None, "last_success_at": None, "cluster_reachable": True, "pass_duration_s": 0.5, "error": "",
    "counts": {}, "troubles": [], "sizes": [[16, 64]], "snapshot": None,
    "certificate_ends_at": None,
}  # fmt: skip


def state(**changes: Any) -> None:
    now = NOW()
    values = HEALTHY | {"pass_finished_at": now, "last_success_at": now, "snapshot_at": now} | changes
    ReconcilerState.objects.update_or_create(pk=1, defaults=values)


def marked(cluster_state: str) -> None:
    Cluster.objects.update(state=cluster_state)


def ago(**span: float) -> Any:
    return NOW() - timedelta(**span)


def causes() -> dict[str, int]:
    return {each.cause.code: each.count for each in look().findings}


@pytest.fixture(autouse=True)
def healthy(db: None) -> None:
    state()


def a_tenant() -> Tenant:
    return TenantFactory(tenant_id="city-a", max_concurrent_jobs=2, max_cpu=4)


def jobs(count: int = 1, **columns: Any) -> None:
    tenant = Tenant.objects.filter(pk="city-a").first() or a_tenant()
    scenario = ScenarioFactory(tenant=tenant)
    JobFactory.create_batch(count, tenant=tenant, scenario=scenario, **columns)


def waiting(reason: str, minutes: float, message: str = "") -> None:
    at = ago(minutes=minutes)
    jobs(2, reason=reason, message=message, submitted_at=at, dispatched_at=at, dispatching_at=at)


def failed(reason: str, count: int = 1, minutes: float = 10) -> None:
    jobs(count, status="FAILED", reason=reason, finished_at=ago(minutes=minutes))


def succeeded(count: int = 1) -> None:
    jobs(count, status="SUCCEEDED", reason="COMPLETED", finished_at=NOW())


def ended() -> None:
    Job.objects.filter(status="PENDING").update(status="CANCELLED", reason="CANCELLED", finished_at=NOW())


def node(name: str, ready: bool) -> dict[str, Any]:
    return {"name": name, "ready": ready, "created_at": ago(hours=2).isoformat()}


def space(problem: str = "", **applied: int) -> None:
    TenantNamespace.objects.update_or_create(
        tenant=a_tenant() if not Tenant.objects.exists() else Tenant.objects.get(),
        defaults={
            "namespace": "city-a", "problem": problem,
            "applied": {"max_cpu": 4, "max_memory_gi": 20, "max_concurrent_jobs": 2} | applied,
        },
    )  # fmt: skip


def kept(share: float, limit: int) -> None:
    tenant = Tenant.objects.first() or a_tenant()
    TenantStorage.objects.update_or_create(tenant=tenant, defaults={"result_bytes": int(share * limit)})


def endpoint() -> None:
    Endpoint.objects.create(tenant=a_tenant(), url="https://example.org/", failing_since=ago(hours=2))


def key(tenant: Tenant | None) -> None:
    row, _ = ApiKey.objects.issue(tenant=tenant, expires_at=NOW() + timedelta(days=2))
    ApiKey.objects.filter(pk=row.pk).update(last_used_at=NOW())


TROUBLE = {"what": "job 1", "error": "no", "since": "2026-01-01T00:00:00+00:00", "times": 3}
LONG = {"submitted_at": NOW() - timedelta(hours=2)}
MENDED: Callable[[], Any] = state
# cause → (what brings it about, what mends it)
CASES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "reconciler_silent": (lambda: state(pass_finished_at=ago(minutes=3)), MENDED),
    "cluster_unreachable": (lambda: state(cluster_reachable=False, error="timed out"), MENDED),
    "cluster_down": (lambda: marked("down"), lambda: marked("active")),
    "pass_failed": (lambda: state(error="Our fault."), MENDED),
    "reconciler_slow": (lambda: state(pass_duration_s=45.0), MENDED),
    "rows_failing": (lambda: state(counts={"failing": 1}, troubles=[TROUBLE]), MENDED),
    "disagreement": (lambda: state(counts={"orphan_pods": 1}), MENDED),
    "certificate_expiring": (lambda: state(certificate_ends_at=NOW() + timedelta(days=9)), MENDED),
    "nodes_not_ready": (lambda: state(snapshot={"nodes": [node("a", True), node("b", False)]}), MENDED),
    "namespace_problem": (lambda: space("It is not ours."), space),
    "quota_drift": (lambda: space(max_cpu=2), space),
    "unschedulable": (lambda: waiting("WAITING_FOR_NODE", 5, f"{NOTHING_FITS} Ask."), ended),
    "pool_at_limit": (lambda: waiting("WAITING_FOR_NODE", 5, f"{POOL_FULL} of 8 CPU"), ended),
    "waiting_quota": (lambda: waiting("WAITING_QUOTA", 20), ended),
    "starting_slowly": (lambda: waiting("STARTING", 20), ended),
    "image_error": (lambda: waiting("IMAGE_ERROR", 1), ended),
    "config_error": (lambda: failed("CONFIG_ERROR"), succeeded),
    "admission_refused": (lambda: failed("ADMISSION_REFUSED"), succeeded),
    "machines_lost": (lambda: failed("NODE_LOST", 3), succeeded),
    "jobs_failing": (lambda: failed("SUMO_FAILED", 5), lambda: succeeded(6)),
    "never_fits": (lambda: jobs(cpu_request=8), lambda: Tenant.objects.update(max_cpu=8)),
    "waits_at_limits": (
        lambda: (jobs(2, status="RUNNING", dispatched_at=NOW()), jobs(**LONG)),
        lambda: Job.objects.filter(status="PENDING").update(dispatched_at=NOW()),
    ),
    "waits_for_room": (lambda: jobs(**LONG), lambda: Job.objects.update(dispatched_at=NOW())),
    "storage_nearly_full": (lambda: kept(0.95, 1000), lambda: kept(0.5, 1000)),
    "webhooks_failing": (endpoint, lambda: Endpoint.objects.update(failing_since=None)),
    "key_expiring": (lambda: key(a_tenant()), lambda: ApiKey.objects.update(revoked_at=NOW())),
    "admin_key_expiring": (lambda: key(None), lambda: ApiKey.objects.update(expires_at=None)),
}  # fmt: skip


@pytest.mark.parametrize("cause", CASES)
def test_each_cause_comes_and_goes(cause: str, settings: Any) -> None:
    settings.TENANT_MAX_RESULT_BYTES = 1000
    assert causes() == {}
    provoke, mend = CASES[cause]
    provoke()
    assert cause in causes()
    assert causes().keys() == {cause}
    mend()
    assert cause not in causes()


def test_every_cause_is_provoked() -> None:
    by_reason = {code for code, row in CAUSES.items() if row.reason and code == row.reason.lower()}
    assert CASES.keys() >= CAUSES.keys() - by_reason


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
