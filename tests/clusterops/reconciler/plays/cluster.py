"""What the cluster decides, by the local cluster."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from clusterops.contract import RunSpec
from clusterops.objects import manifests
from clusterops.policy.sentences import NOTHING_FITS, POOL_FULL
from simulations.models import Job
from tenants.models import Tenant
from tests.clusterops.gateway.test_certificate import certificate
from tests.clusterops.reconciler.plays.world import Play, World, an_hour_later, dated_back, entered_in

CLUSTER: dict[str, Play] = {}
TOO_LARGE_GI = 500  # no machine has it, and none that has it can be added


@dataclass(frozen=True)
class Asked:
    """A job that waits for what never comes."""

    tenant: str
    reason: str
    begins: str = ""  # of its message
    cpu: int = 1
    memory_gi: int = 1
    change: Callable[[Any], Any] = lambda container: None  # what is wrong with its container


NOWHERE = {"reason": "WAITING_FOR_NODE", "begins": NOTHING_FITS, "memory_gi": TOO_LARGE_GI}
MISSING = {"name": "MISSING", "valueFrom": {"secretKeyRef": {"name": "missing", "key": "missing"}}}
ROOTED = {"allowPrivilegeEscalation": True}
ASKED = {
    "unschedulable": Asked("waiting", **NOWHERE),
    "pool_at_limit": Asked("waiting", "WAITING_FOR_NODE", POOL_FULL, cpu=12),
    "image_error": Asked("waiting", "IMAGE_ERROR", change=lambda of: of.update(image="registry.invalid/nope:1")),
    "config_error": Asked("waiting", "CONFIG_ERROR", change=lambda of: of["env"].append(MISSING)),
    "admission_refused": Asked("waiting", "ADMISSION_REFUSED", change=lambda of: of["securityContext"].update(ROOTED)),
    "deleted_externally": Asked("deleted", **NOWHERE),
    "namespace_terminating": Asked("leaving", **NOWHERE),
    "disagreement": Asked("orphans", **NOWHERE),
    "waiting_quota": Asked("quota", **NOWHERE),
}


def asked(world: World, cause: str) -> Job:
    """The job of that row. The first who asks lets them all be made, in one pass, and told."""
    if not world.jobs:
        for name, each in ASKED.items():
            world.jobs[name] = world.submit(world.tenant(each.tenant), cpu=each.cpu, memory_gi=each.memory_gi)
        changes = {job.job_id.hex: ASKED[name].change for name, job in world.jobs.items()}
        real = manifests.job

        def job(spec: RunSpec) -> Any:
            manifest = real(spec)
            changes[spec.job_id](manifest["spec"]["template"]["spec"]["containers"][0])
            return manifest

        with world.patch.context() as patch:
            patch.setattr(manifests, "job", job)
            for name, each in world.jobs.items():
                world.until(each, ASKED[name].reason, ASKED[name].begins)
    return world.jobs[cause]


@entered_in(CLUSTER)
def start_timeout(world: World) -> Iterator[None]:
    tenant = world.tenant("timeouts")
    job = world.until(world.submit(tenant, memory_gi=TOO_LARGE_GI), "WAITING_FOR_NODE")
    with world.setting("START_TIMEOUT_S", 0):
        world.loop.until_ended(job)
    yield
    an_hour_later(tenant)


@entered_in(CLUSTER)
def image_error(world: World) -> Iterator[None]:
    job = asked(world, "image_error")
    yield
    job.request_cancel()


@entered_in(CLUSTER)
def config_error(world: World) -> Iterator[None]:
    job = asked(world, "config_error")
    yield
    job.request_cancel()


@entered_in(CLUSTER)
def admission_refused(world: World) -> Iterator[None]:
    job = asked(world, "admission_refused")
    yield
    job.request_cancel()


@entered_in(CLUSTER)
def unschedulable(world: World) -> Iterator[None]:
    job = asked(world, "unschedulable")
    dated_back(job, minutes=5)
    yield
    job.request_cancel()


@entered_in(CLUSTER)
def pool_at_limit(world: World) -> Iterator[None]:
    job = asked(world, "pool_at_limit")
    dated_back(job, minutes=5)
    yield
    job.request_cancel()


@entered_in(CLUSTER)
def deleted_externally(world: World) -> Iterator[None]:
    job = asked(world, "deleted_externally")
    world.call("DELETE", "jobs", job.k8s_namespace, job.k8s_job_name, {"propagationPolicy": "Background"})
    yield
    an_hour_later(job.tenant)


@entered_in(CLUSTER)
def waiting_quota(world: World) -> Iterator[None]:
    first = asked(world, "waiting_quota")
    space, none = first.k8s_namespace, {"spec": {"hard": {"pods": "0"}}}
    world.call("PATCH", "resourcequotas", space, f"{space}-quota", none)
    second = world.until(world.submit(first.tenant), "WAITING_QUOTA")
    dated_back(second, minutes=20)
    yield
    first.request_cancel()
    second.request_cancel()


@entered_in(CLUSTER)
def namespace_terminating(world: World) -> Iterator[None]:
    job = asked(world, "namespace_terminating")
    world.call("DELETE", "namespaces", "", job.k8s_namespace)
    world.loop.until_ended(job)
    world.until_usable(job.tenant)
    yield
    an_hour_later(job.tenant)


@entered_in(CLUSTER)
def namespace_problem(world: World) -> Iterator[None]:
    tenant = world.tenant("foreign")
    foreign = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": tenant.namespace, "labels": {"team": "x"}}}
    world.call("POST", "namespaces", "", body=foreign)
    job = world.submit(tenant)
    world.loop.once()
    yield
    job.request_cancel()
    world.call("DELETE", "namespaces", "", tenant.namespace)
    world.until_usable(tenant)


@entered_in(CLUSTER)
def disagreement(world: World) -> Iterator[None]:
    """A pod of ours that no Job has, as `kubectl delete --cascade=orphan` leaves one."""
    job = asked(world, "disagreement")
    found = world.call("GET", "pods", job.k8s_namespace, job.pod_name)
    labels = {name: text for name, text in found["metadata"]["labels"].items() if name.startswith(("app", "sumok8"))}
    body = {"metadata": {"name": "left-behind", "labels": labels}, "spec": found["spec"]}
    job.request_cancel()
    world.loop.until_ended(job)
    world.call("POST", "pods", job.k8s_namespace, body=body)
    yield
    world.call("DELETE", "pods", job.k8s_namespace, "left-behind", {"gracePeriodSeconds": 0})


@entered_in(CLUSTER)
def nodes_not_ready(world: World) -> Iterator[None]:
    world.patch.setattr("clusterops.attention.gathering.JOINING_FOR", timedelta(0))
    world.call("POST", "nodes", "", body={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "lame"}})
    world.sample()
    yield
    world.call("DELETE", "nodes", "", "lame")
    world.sample()


@entered_in(CLUSTER)
def certificate_expiring(world: World) -> Iterator[None]:
    way: Any = world.gateway.api._configuration
    way.ssl_ca_cert = certificate(world.folder / "ca", timezone.now() + timedelta(days=9))
    world.sample()
    yield
    way.ssl_ca_cert = None
    world.sample()


@entered_in(CLUSTER)
def quota_drift(world: World) -> Iterator[None]:
    Tenant.objects.filter(pk="waiting").update(max_cpu=900)
    yield
    world.loop.once()
