"""Each cause of the attention list brought about as it comes about, and mended: up to the `yield`, and after it.

What the cluster decides, the local cluster decides here (`CLUSTER`); how pods end, the cluster in memory plays (`RUNS`,
`ROWS`). Only the clock is moved: what takes minutes is dated back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from clusterops.contract import RunSpec
from clusterops.gateway import MERGE, Gateway, KubeApi, path_of
from clusterops.models import ReconcilerState, TenantNamespace
from clusterops.objects import manifests
from clusterops.policy.sentences import NOTHING_FITS, POOL_FULL
from clusterops.reconciler import troubles
from clusterops.reconciler.namespaces import spec_of
from localcluster import kubeconfig
from simulations.models import Job
from simulations.services import storage
from simulations.webhooks.models import Endpoint
from tenants.clusters import Cluster, first_cluster
from tenants.models import ApiKey, Tenant
from tests.clusterops.gateway.test_certificate import certificate
from tests.clusterops.reconciler.conftest import Loop
from tests.conftest import client_with
from tests.factories import JobFactory, TenantFactory

TOO_LARGE_GI = 500  # no machine has it, and none that has it can be added


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@dataclass(frozen=True)
class Asked:
    """A job that waits for what never comes."""

    tenant: str
    reason: str
    begins: str = ""  # of its message
    cpu: int = 1
    memory_gi: int = 1
    change: Callable[[Any], Any] = lambda container: None  # what is wrong with its container


@dataclass
class World:
    """A cluster, the reconciler's passes over it, and what a play may turn."""

    gateway: Gateway
    settings: Any
    patch: pytest.MonkeyPatch
    folder: Path
    loop: Loop = field(init=False)
    _asked: dict[str, Job] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loop = Loop(self.gateway)

    @contextmanager
    def setting(self, name: str, value: Any) -> Iterator[None]:
        before = getattr(self.settings, name)
        setattr(self.settings, name, value)
        yield
        setattr(self.settings, name, before)

    def tenant(self, name: str, **limits: int) -> Tenant:
        """The same one for the same name."""
        wide = {"max_concurrent_jobs": 50, "max_cpu": 1000, "max_memory_gi": 1000}
        return Tenant.objects.filter(pk=name).first() or TenantFactory(tenant_id=name, **wide | limits)

    def submit(self, tenant: Tenant, *, cpu: int = 1, memory_gi: int = 1, **fate: Any) -> Job:
        job = JobFactory(tenant=tenant, cpu_request=cpu, memory_gi=memory_gi)
        Job.objects.filter(pk=job.pk).update(scenario_data=job.scenario_data | {"options": fate})
        return job

    def sample(self) -> None:
        """A pass that looks at the machines as well, as one does each minute."""
        self.loop.memory.done_at.pop("sample", None)
        self.loop.once()

    def until(self, job: Job, reason: str, begins: str = "") -> Job:
        def holds() -> bool:
            job.refresh_from_db()
            return job.reason == reason and job.message.startswith(begins)

        if not holds():
            self.loop.until(holds)
        return job

    def asked(self, cause: str) -> Job:
        """The job of that row. The first who asks lets them all be made, in one pass, and told."""
        if not self._asked:
            for name, each in ASKED.items():
                self._asked[name] = self.submit(self.tenant(each.tenant), cpu=each.cpu, memory_gi=each.memory_gi)
            changes = {job.job_id.hex: ASKED[name].change for name, job in self._asked.items()}
            real = manifests.job

            def job(spec: RunSpec) -> Any:
                manifest = real(spec)
                changes[spec.job_id](manifest["spec"]["template"]["spec"]["containers"][0])
                return manifest

            with self.patch.context() as patch:
                patch.setattr(manifests, "job", job)
                self.loop.once()
            for name, each in self._asked.items():
                self.until(each, ASKED[name].reason, ASKED[name].begins)
        return self._asked[cause]

    def until_all_ended(self) -> None:
        if Job.objects.active().exists():
            self.loop.until(lambda: not Job.objects.active().exists())

    def until_usable(self, tenant: Tenant) -> None:
        """Its namespace, without waiting for the next try's turn."""

        def holds() -> bool:
            self.loop.memory.done_at.pop(f"namespace {tenant.pk}", None)
            return not TenantNamespace.objects.get(tenant=tenant).problem

        self.loop.until(holds)

    def call(self, method: str, kind: str, namespace: str, name: str = "", body: Any = None) -> Any:
        more = {"content_type": MERGE} if method == "PATCH" else {}
        return self.gateway.api.request(method, path_of(kind, namespace, name), body=body, **more)


def dated_back(job: Job, **span: float) -> None:
    at = ago(**span)
    stamps = {name: at for name in ("dispatched_at", "dispatching_at") if getattr(job, name)}
    Job.objects.filter(pk=job.pk).update(submitted_at=at, **stamps)


def an_hour_later(tenant: Tenant) -> None:
    """What failed is no news any more."""
    Job.objects.filter(tenant=tenant, status="FAILED").update(finished_at=ago(hours=2))


Play = Callable[[World], Iterator[None]]
CLUSTER: dict[str, Play] = {}
RUNS: dict[str, Play] = {}
ROWS: dict[str, Play] = {}
ALONE: dict[str, Play] = {}  # those that hide others


def play(of: dict[str, Play]) -> Callable[[Play], Play]:
    """Its name is the cause's. In the order of the file, since some hold the cluster as the others left it."""

    def enter(each: Play) -> Play:
        of[each.__name__] = each
        return each

    return enter


# What the cluster decides.
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


@play(CLUSTER)
def start_timeout(world: World) -> Iterator[None]:
    tenant = world.tenant("timeouts")
    job = world.until(world.submit(tenant, memory_gi=TOO_LARGE_GI), "WAITING_FOR_NODE")
    with world.setting("START_TIMEOUT_S", 0):
        world.loop.until_ended(job)
    yield
    an_hour_later(tenant)


@play(CLUSTER)
def image_error(world: World) -> Iterator[None]:
    job = world.asked("image_error")
    yield
    job.request_cancel()


@play(CLUSTER)
def config_error(world: World) -> Iterator[None]:
    job = world.asked("config_error")
    yield
    job.request_cancel()


@play(CLUSTER)
def admission_refused(world: World) -> Iterator[None]:
    job = world.asked("admission_refused")
    yield
    job.request_cancel()


@play(CLUSTER)
def unschedulable(world: World) -> Iterator[None]:
    job = world.asked("unschedulable")
    dated_back(job, minutes=5)
    yield
    job.request_cancel()


@play(CLUSTER)
def pool_at_limit(world: World) -> Iterator[None]:
    job = world.asked("pool_at_limit")
    dated_back(job, minutes=5)
    yield
    job.request_cancel()


@play(CLUSTER)
def deleted_externally(world: World) -> Iterator[None]:
    job = world.asked("deleted_externally")
    world.call("DELETE", "jobs", job.k8s_namespace, job.k8s_job_name, {"propagationPolicy": "Background"})
    yield
    an_hour_later(job.tenant)


@play(CLUSTER)
def waiting_quota(world: World) -> Iterator[None]:
    first = world.asked("waiting_quota")
    space, none = first.k8s_namespace, {"spec": {"hard": {"pods": "0"}}}
    world.call("PATCH", "resourcequotas", space, f"{space}-quota", none)
    second = world.until(world.submit(first.tenant), "WAITING_QUOTA")
    dated_back(second, minutes=20)
    yield
    first.request_cancel()
    second.request_cancel()


@play(CLUSTER)
def namespace_terminating(world: World) -> Iterator[None]:
    job = world.asked("namespace_terminating")
    world.call("DELETE", "namespaces", "", job.k8s_namespace)
    world.loop.until_ended(job)
    world.until_usable(job.tenant)
    yield
    an_hour_later(job.tenant)


@play(CLUSTER)
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


@play(CLUSTER)
def disagreement(world: World) -> Iterator[None]:
    """A pod of ours that no Job has, as `kubectl delete --cascade=orphan` leaves one."""
    job = world.asked("disagreement")
    found = world.call("GET", "pods", job.k8s_namespace, job.pod_name)
    labels = {name: text for name, text in found["metadata"]["labels"].items() if name.startswith(("app", "sumok8"))}
    body = {"metadata": {"name": "left-behind", "labels": labels}, "spec": found["spec"]}
    job.request_cancel()
    world.loop.until_ended(job)
    world.call("POST", "pods", job.k8s_namespace, body=body)
    yield
    world.call("DELETE", "pods", job.k8s_namespace, "left-behind", {"gracePeriodSeconds": 0})


@play(CLUSTER)
def nodes_not_ready(world: World) -> Iterator[None]:
    world.patch.setattr("clusterops.attention.gathering.JOINING_FOR", timedelta(0))
    world.call("POST", "nodes", "", body={"apiVersion": "v1", "kind": "Node", "metadata": {"name": "lame"}})
    world.sample()
    yield
    world.call("DELETE", "nodes", "", "lame")
    world.sample()


@play(CLUSTER)
def certificate_expiring(world: World) -> Iterator[None]:
    way: Any = world.gateway.api._configuration
    way.ssl_ca_cert = certificate(world.folder / "ca", timezone.now() + timedelta(days=9))
    world.sample()
    yield
    way.ssl_ca_cert = None
    world.sample()


@play(CLUSTER)
def quota_drift(world: World) -> Iterator[None]:
    Tenant.objects.filter(pk="waiting").update(max_cpu=900)
    yield
    world.loop.once()


# How runs end.


@play(RUNS)
def invalid_job(world: World) -> Iterator[None]:
    yield from _ended(world, exit=64, outcome="invalid_job")


@play(RUNS)
def service_unreachable(world: World) -> Iterator[None]:
    yield from _ended(world, exit=73, outcome="unreachable")


@play(RUNS)
def results_not_stored(world: World) -> Iterator[None]:
    yield from _ended(world, exit=74, outcome="io_failed")


@play(RUNS)
def runner_error(world: World) -> Iterator[None]:
    yield from _ended(world, exit=72, outcome="internal")


@play(RUNS)
def machines_lost(world: World) -> Iterator[None]:
    yield from _ended(world, 3, exit=75, outcome="interrupted")


@play(RUNS)
def jobs_failing(world: World) -> Iterator[None]:
    yield from _ended(world, 4, exit=66, outcome="sumo_failed")


def _ended(world: World, count: int = 1, **fate: Any) -> Iterator[None]:
    """As many that succeed afterwards, and there is no more to tell of it."""
    tenant = world.tenant(f"runs-{fate['exit']}")
    for _ in range(count):
        world.submit(tenant, **fate)
    yield
    for _ in range(count):
        world.submit(tenant)


@play(RUNS)
def lost(world: World) -> Iterator[None]:
    """Its namespace is there, but nothing of it."""
    tenant = world.tenant("runs-lost")
    world.gateway.ensure_namespace(spec_of(tenant, first_cluster()))
    stamps = dict.fromkeys(("submitted_at", "dispatching_at", "dispatched_at", "observed_at"), ago(days=2))
    JobFactory(tenant=tenant, **stamps)
    yield
    world.submit(tenant)


# What rows say.


@play(ROWS)
def never_fits(world: World) -> Iterator[None]:
    world.submit(world.tenant("small", max_cpu=4), cpu=8)
    yield
    Tenant.objects.filter(pk="small").update(max_cpu=8)


@play(ROWS)
def waits_at_limits(world: World) -> Iterator[None]:
    tenant, go = world.tenant("limited", max_concurrent_jobs=1), world.folder / "go"
    world.until(world.submit(tenant, hold=str(go)), "RUNNING")
    second = world.submit(tenant)
    dated_back(second, hours=2)
    yield
    go.touch()


@play(ROWS)
def waits_for_room(world: World) -> Iterator[None]:
    """One of 10 CPUs is taken by the play before."""
    go = world.folder / "room"
    world.settings.CAPACITY = "cpu=10,memory=100Gi"
    world.sample()
    world.until(world.submit(world.tenant("large"), cpu=9, hold=str(go)), "RUNNING")
    second = world.submit(world.tenant("patient"))
    dated_back(second, hours=2)
    world.loop.once()
    yield
    go.touch()


@play(ROWS)
def storage_nearly_full(world: World) -> Iterator[None]:
    world.settings.TENANT_MAX_RESULT_BYTES = 1000
    tenant = world.tenant("keeper")
    storage.take(tenant.pk, "results", 950)
    yield
    storage.take(tenant.pk, "results", -500)


@play(ROWS)
def volume_nearly_full(world: World) -> Iterator[None]:
    with world.patch.context() as patch:
        patch.setattr("clusterops.policy.attention.VOLUME_LEAST_FREE", 1.01)  # more than any volume has
        world.settings.MEDIA_ROOT = world.folder
        world.loop.once()
        yield


@play(ROWS)
def webhooks_failing(world: World) -> Iterator[None]:
    row = Endpoint.objects.create(tenant=world.tenant("hooked"), url="https://example.org/", failing_since=ago(hours=2))
    yield
    Endpoint.objects.filter(pk=row.pk).update(failing_since=None)


@play(ROWS)
def key_expiring(world: World) -> Iterator[None]:
    yield from _expiring(world.tenant("keyed"), "/jobs")


@play(ROWS)
def admin_key_expiring(world: World) -> Iterator[None]:
    yield from _expiring(None, "/admin/jobs")


def _expiring(tenant: Tenant | None, address: str) -> Iterator[None]:
    row, key = ApiKey.objects.issue(tenant=tenant, expires_at=timezone.now() + timedelta(days=2))
    assert client_with(key).get(address).status_code == 200  # somebody uses it
    yield
    ApiKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())


# What hides others, or lasts no longer than till the next pass.


@play(ALONE)
def starting_slowly(world: World) -> Iterator[None]:
    job = world.submit(world.tenant("slow"))
    world.loop.once()
    job.refresh_from_db()
    dated_back(job, minutes=20)
    yield
    world.loop.until_ended(job)


@play(ALONE)
def reconciler_silent(world: World) -> Iterator[None]:
    ReconcilerState.objects.update(pass_finished_at=ago(minutes=3))
    yield
    world.loop.once()


@play(ALONE)
def cluster_unreachable(world: World) -> Iterator[None]:
    nobody = world.folder / "nobody"
    kubeconfig.write(nobody, 9, "token")  # where nobody listens
    world.loop.gateway = Gateway(KubeApi(str(nobody)))
    world.loop.once()
    yield
    world.loop.gateway = world.gateway
    world.loop.once()


@play(ALONE)
def cluster_down(world: World) -> Iterator[None]:
    Cluster.objects.update(state=Cluster.State.DOWN)
    yield
    Cluster.objects.update(state=Cluster.State.ACTIVE)


@play(ALONE)
def pass_failed(world: World) -> Iterator[None]:
    def broken(*_: Any) -> None:
        raise RuntimeError("a mistake of ours")

    with world.patch.context() as patch:
        patch.setattr("clusterops.reconciler.one_pass.update_jobs", broken)
        world.loop.once()
    yield
    world.loop.once()


@play(ALONE)
def reconciler_slow(world: World) -> Iterator[None]:
    with world.patch.context() as patch:
        patch.setattr("clusterops.policy.attention.SLOW_PASS_S", 0.0)
        yield


@play(ALONE)
def rows_failing(world: World) -> Iterator[None]:
    job = world.submit(world.tenant("broken"))
    Job.objects.filter(pk=job.pk).update(scenario_data={"time_limit_s": "soon"})
    with world.patch.context() as patch:
        patch.setattr(troubles, "FIRST_REST_S", 0.0)
        world.loop.once()
        world.loop.once()
    yield
    job.request_cancel()
    with world.patch.context() as patch:
        patch.setattr(troubles, "FORGOTTEN_AFTER_S", -1.0)
        world.loop.until_ended(job)
