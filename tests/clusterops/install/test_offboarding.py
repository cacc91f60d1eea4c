"""Letting a tenant go, and syncing quotas, against the embedded cluster."""

import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from clusterops.gateway import Gateway, KubeApi, path_of
from clusterops.install import installer
from clusterops.models import ReconcilerState, TenantNamespace
from clusterops.reconciler import namespaces
from clusterops.reconciler.leader_lock import Lock, is_at_work
from clusterops.reconciler.one_pass import Memory, Pass, reconcile_once
from simulations.models import Job
from tenants.models import ApiKey, Tenant
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def cluster(local_cluster):
    return str(local_cluster.config.kubeconfig)


@pytest.fixture
def api(cluster) -> KubeApi:
    return KubeApi(cluster)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def namespace(api: KubeApi, name: str):
    return installer.find(api, path_of("namespaces", name=name))


def is_gone(api: KubeApi, name: str) -> bool:
    found = namespace(api, name)
    return found is None or found["status"]["phase"] == "Terminating"


def test_sync_quotas_makes_and_records_each_place(cluster, api):
    TenantFactory(tenant_id="sync-a", max_cpu=7)
    TenantFactory(tenant_id="sync-b", is_active=False)
    said = run("sync_quotas", "--kubeconfig", cluster)
    assert "sync-a: namespace sync-a was made, and its quota is in force" in said
    assert "1 tenant(s) are as their limits ask" in said
    quota = api.request("GET", path_of("resourcequotas", "sync-a", "sync-a-quota"))
    assert quota["spec"]["hard"]["requests.cpu"] == "7"
    assert TenantNamespace.objects.get().applied["max_cpu"] == 7
    assert namespace(api, "sync-b") is None
    assert "sync-a: namespace sync-a and its quota are in force, unchanged" in run(
        "sync_quotas", "--kubeconfig", cluster
    )
    api.request("DELETE", path_of("resourcequotas", "sync-a", "sync-a-quota"))
    said = run("sync_quotas", "--kubeconfig", cluster)
    assert "sync-a: namespace sync-a was not as the limits ask and is repaired" in said


def test_sync_quotas_never_takes_over_a_namespace(cluster, api):
    api.request("POST", "/api/v1/namespaces", body={"metadata": {"name": "foreign-a"}})
    TenantFactory(tenant_id="foreign-a")
    with pytest.raises(CommandError, match="1 of 1 tenant"):
        run("sync_quotas", "--kubeconfig", cluster)
    assert "belong" in TenantNamespace.objects.get().problem


def test_sync_quotas_without_a_cluster(tmp_path):
    with pytest.raises(CommandError, match="does not answer"):
        run("sync_quotas", "--kubeconfig", str(tmp_path / "missing"))


def test_dry_run_changes_nothing(cluster, api):
    tenant = TenantFactory(tenant_id="dry-a")
    run("sync_quotas", "--kubeconfig", cluster)
    JobFactory(tenant=tenant)
    said = run("offboard_tenant", "dry-a", "--erase-data", "--dry-run", "--kubeconfig", cluster)
    assert "end 1 job(s)" in said
    assert "Would delete the namespace dry-a" in said
    assert "Would erase 1 job(s)" in said
    assert Tenant.objects.get().is_active
    assert not Job.objects.exclude(cancel_requested_at=None).exists()
    assert not is_gone(api, "dry-a")


def test_keeping_the_data(cluster, api):
    tenant = TenantFactory(tenant_id="keep-a")
    run("sync_quotas", "--kubeconfig", cluster)
    ScenarioFactory(tenant=tenant)
    JobFactory(tenant=tenant, status="SUCCEEDED", finished_at="2026-01-01T00:00Z")
    said = run("offboard_tenant", "keep-a", "--keep-data", "--kubeconfig", cluster)
    assert "is inactive" in said
    assert "are kept" in said
    assert is_gone(api, "keep-a")
    assert not Tenant.objects.get().is_active
    assert Job.objects.count() == 1
    assert not TenantNamespace.objects.exists()
    again = run("offboard_tenant", "keep-a", "--keep-data", "--kubeconfig", cluster)
    assert "is inactive" not in again


def test_erasing_the_data(cluster, api, other_tenant):
    tenant = TenantFactory(tenant_id="erase-a")
    ApiKey.objects.issue(tenant=tenant)
    JobFactory(tenant=tenant, status="FAILED", finished_at="2026-01-01T00:00Z")
    said = run("offboard_tenant", "erase-a", "--erase-data", "--kubeconfig", cluster)
    assert "There is no namespace erase-a" in said
    assert "Erased tenant erase-a with" in said
    assert list(Tenant.objects.all()) == [other_tenant]
    assert not Job.objects.exists()
    assert not ApiKey.objects.exists()


def test_jobs_that_do_not_end_keep_everything(cluster, api):
    tenant = TenantFactory(tenant_id="stuck-a")
    run("sync_quotas", "--kubeconfig", cluster)
    JobFactory(tenant=tenant)
    with pytest.raises(CommandError, match="is the reconciler running"):
        run("offboard_tenant", "stuck-a", "--erase-data", "--wait", "0", "--kubeconfig", cluster)
    assert Job.objects.exclude(cancel_requested_at=None).count() == 1
    assert TenantNamespace.objects.exists()
    assert not is_gone(api, "stuck-a")


def test_anothers_namespace_is_not_deleted(cluster, api):
    api.request("POST", "/api/v1/namespaces", body={"metadata": {"name": "foreign-b"}})
    TenantFactory(tenant_id="foreign-b")
    with pytest.raises(CommandError, match="does not belong"):
        run("offboard_tenant", "foreign-b", "--erase-data", "--kubeconfig", cluster)
    assert not is_gone(api, "foreign-b")
    assert Tenant.objects.exists()


def test_keep_or_erase_must_be_said(db):
    TenantFactory(tenant_id="city-a")
    with pytest.raises(CommandError, match="--keep-data --erase-data"):
        run("offboard_tenant", "city-a")


def test_a_pass_under_way_cannot_make_the_namespace_again(cluster, api, monkeypatch):
    """The reconciler read the tenant's row before it left, and repairs afterwards, as in its pass."""
    tenant = TenantFactory(tenant_id="racing-a")
    run("sync_quotas", "--kubeconfig", cluster)
    this_pass = Pass(gateway=Gateway(api), memory=Memory(), now=timezone.now())
    rows = list(TenantNamespace.objects.select_related("tenant"))
    slept = []

    def end_of_the_pass(seconds: float) -> None:
        slept.append(seconds)
        assert not is_gone(api, "racing-a")
        namespaces.ensure(this_pass, rows[0].tenant)
        ReconcilerState.objects.update_or_create(pk=1, defaults={"passes": 1})

    monkeypatch.setattr("clusterops.install.offboarding.is_at_work", lambda cluster_id: True)
    monkeypatch.setattr("clusterops.install.offboarding.time.sleep", end_of_the_pass)
    run("offboard_tenant", "racing-a", "--keep-data", "--kubeconfig", cluster)
    monkeypatch.undo()
    assert len(slept) == 1
    reconcile_once(Gateway(api))
    assert is_gone(api, "racing-a")
    assert not TenantNamespace.objects.filter(tenant=tenant).exists()


def test_a_pass_that_does_not_end_keeps_everything(cluster, api, monkeypatch):
    TenantFactory(tenant_id="long-a")
    run("sync_quotas", "--kubeconfig", cluster)
    monkeypatch.setattr("clusterops.install.offboarding.is_at_work", lambda cluster_id: True)
    with pytest.raises(CommandError, match="has not ended a pass"):
        run("offboard_tenant", "long-a", "--keep-data", "--wait", "0", "--kubeconfig", cluster)
    assert not is_gone(api, "long-a")


def test_a_place_that_nobody_needs_is_not_repaired_and_a_needed_one_is(cluster, api):
    idle, busy = (TenantFactory(tenant_id=name) for name in ("idle-a", "busy-a"))
    run("sync_quotas", "--kubeconfig", cluster)
    Tenant.objects.update(is_active=False)
    JobFactory(tenant=busy)
    for tenant in (idle, busy):
        api.request("DELETE", path_of("networkpolicies", tenant.namespace, f"{tenant.namespace}-isolation"))
    assert reconcile_once(Gateway(api)).counts.repaired == 1
    assert api.items(path_of("networkpolicies", "idle-a")) == []
    assert len(api.items(path_of("networkpolicies", "busy-a"))) == 1


def test_who_holds_the_lock_is_at_work(db):
    assert not is_at_work()
    lock = Lock()
    assert lock.wait(threading.Event())
    assert is_at_work()
    lock.release()
