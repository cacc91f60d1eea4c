"""Tenants' namespaces: made when needed, changed at once, repaired, never taken over."""

from pathlib import Path

import pytest

from clusterops.admin import IN_FORCE, quota_state
from clusterops.gateway import path_of
from clusterops.models import TenantNamespace
from clusterops.objects.manifests import TENANT_OBJECTS
from simulations.models import Job
from tenants.models import Tenant


@pytest.fixture
def quota(gateway, city):
    def read() -> dict[str, str]:
        return gateway.api.request("GET", path_of("resourcequotas", city.namespace, f"{city.namespace}-quota"))["spec"][
            "hard"
        ]

    return read


def test_made_with_the_first_job_and_not_before(loop, submit, gateway, city, quota) -> None:
    loop.once()
    assert city.namespace not in gateway.namespaces()
    loop.until_ended(submit())
    assert quota() == {"requests.cpu": "10", "requests.memory": "20Gi", "pods": "10"}
    namespace = gateway.api.request("GET", path_of("namespaces", name=city.namespace))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for kind in TENANT_OBJECTS:
        assert len(gateway.api.items(path_of(kind, city.namespace))) == 1
    row = TenantNamespace.objects.get(tenant=city)
    assert row.problem == ""
    assert row.uid == namespace["metadata"]["uid"]


def test_changed_limits_are_in_force_after_one_pass_and_recorded(loop, submit, city, quota) -> None:
    loop.until_ended(submit())
    before = TenantNamespace.objects.get(tenant=city).applied_at
    city.max_cpu, city.max_concurrent_jobs = 64, 30
    city.save()
    loop.once()
    assert quota() == {"requests.cpu": "64", "requests.memory": "20Gi", "pods": "60"}
    row = TenantNamespace.objects.get(tenant=city)
    assert row.applied["max_cpu"] == 64
    assert row.applied_at > before
    loop.once()
    assert loop.last.counts.namespaces == 0


def test_a_limit_that_changes_no_object_is_in_force_as_well(loop, submit, city) -> None:
    submit()
    loop.once()
    city.max_concurrent_jobs -= 1  # the quota of pods has ten as its least
    city.save()
    loop.once()
    assert quota_state(Tenant.objects.get(pk=city.pk))[0] == IN_FORCE


@pytest.mark.local_cluster
def test_the_api_servers_own_notation_of_a_large_limit_is_no_damage(loop, submit, gateway, city, quota) -> None:
    city.max_cpu, city.max_memory_gi = 1000, 1024
    city.save()
    loop.until_ended(submit())
    assert quota() == {"requests.cpu": "1k", "requests.memory": "1Ti", "pods": "10"}
    loop.memory.done_at.clear()
    loop.once()
    assert loop.last.counts.repaired == 0


@pytest.mark.parametrize("damage", ["quota changed", "policy deleted", "label removed"])
def test_what_another_hand_changed_is_repaired_and_counted(damage, loop, submit, gateway, city, quota) -> None:
    loop.until_ended(submit())
    merge = {"content_type": "application/merge-patch+json"}
    if damage == "quota changed":
        path = path_of("resourcequotas", city.namespace, f"{city.namespace}-quota")
        gateway.api.request("PATCH", path, body={"spec": {"hard": {"requests.cpu": "999"}}}, **merge)
    elif damage == "policy deleted":
        gateway.api.request("DELETE", path_of("networkpolicies", city.namespace, f"{city.namespace}-isolation"))
    else:
        label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": None}}}
        gateway.api.request("PATCH", path_of("namespaces", name=city.namespace), body=label, **merge)
    loop.memory.done_at.clear()
    loop.once()
    assert loop.last.counts.repaired == 1
    assert quota()["requests.cpu"] == "10"
    assert TenantNamespace.objects.get(tenant=city).repairs == 1
    loop.memory.done_at.clear()
    loop.once()
    assert loop.last.counts.repaired == 0


def test_a_namespace_of_another_hand_is_left_alone_and_the_job_says_why(loop, submit, gateway, city) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": city.namespace, "labels": {"team": "x"}}}
    gateway.api.request("POST", path_of("namespaces"), body=body)
    job = submit()
    loop.once()
    job.refresh_from_db()
    assert (job.status, job.reason) == ("PENDING", "QUEUED")
    assert "does not belong to tenant" in job.message
    row = TenantNamespace.objects.get(tenant=city)
    assert row.problem == job.message
    assert row.problem_since
    found = gateway.api.request("GET", path_of("namespaces", name=city.namespace))
    assert found["metadata"]["labels"].get("app.kubernetes.io/managed-by") is None
    gateway.api.request("DELETE", path_of("namespaces", name=city.namespace))
    loop.until(lambda: loop.memory.done_at.clear() or Job.objects.get(pk=job.pk).is_finished)
    assert TenantNamespace.objects.get(tenant=city).problem == ""


def test_a_deactivated_tenants_jobs_wait_and_say_so(loop, submit, city, tmp_path: Path) -> None:
    running = submit(hold=str(tmp_path / "go"))
    loop.until_reason(running, "RUNNING")
    city.is_active = False
    city.save()
    waiting = submit()
    loop.once()
    waiting.refresh_from_db()
    assert "deactivated" in waiting.message
    (tmp_path / "go").touch()
    loop.until_ended(running)
    assert running.status == "SUCCEEDED"
