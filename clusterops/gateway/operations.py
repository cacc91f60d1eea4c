"""What the product asks of a cluster: dataclasses in, dataclasses or this project's own errors out."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

from django.conf import settings

from clusterops import errors, installation
from clusterops.contract import ClusterSnapshot, NamespaceSpec, NamespaceState, Run, RunSpec
from clusterops.gateway.garbage import collector_asleep
from clusterops.gateway.kube_api import (
    APPLY,
    LIST_TIMEOUT_S,
    MERGE,
    READ_TIMEOUT_S,
    Json,
    KubeApi,
    nothing,
    path_of,
)
from clusterops.objects import manifests
from clusterops.readings import cluster as cluster_readings
from clusterops.readings import events as event_readings
from clusterops.readings import jobs as job_readings
from clusterops.readings import pod_requests
from clusterops.readings.verdicts import Verdicts
from tenants.clusters import Cluster

WATCH_S = 240  # the server ends a watch after this; the socket's own time-out is a little longer
MAX_LOG_BYTES = 256 * 1024
EXPLAIN_AFTER = timedelta(seconds=3)  # a Job without a pod, a pod without a machine: then events are asked why
ASK_AUTOSCALER_EVERY_S = 10.0  # pods may wait for a machine for hours
ASK_OTHERS_EVERY_S = 15.0
FIELD_MANAGER = {"fieldManager": "sumok8", "force": "true"}


class Gateway:
    """What the product asks of a cluster. Every method answers or raises `errors.GatewayError`."""

    def __init__(self, api: KubeApi, cluster: str = "") -> None:
        """`cluster`: the label of what is ours there; empty in the first."""
        self.api = api
        self._cluster = cluster
        self._autoscaler_says: dict[str, str] = {}
        self._autoscaler_asked_at = float("-inf")
        self._others_request: Mapping[str, Counter[str]] = {}
        self._others_asked_at = float("-inf")
        self._known_runs = job_readings.KnownRuns()
        self._verdicts = Verdicts()

    def certificate_ends_at(self) -> datetime | None:
        """When the way to the cluster ends by itself; None: it does not, as far as can be read. Asks nobody."""
        return self.api.certificate_ends_at()

    def _own(self) -> str:
        return installation.selector(self._cluster)

    def ensure_namespace(self, spec: NamespaceSpec) -> str:
        """Make the tenant's namespace and what belongs in it as its limits ask; returns the Namespace's uid.

        Raises NamespaceNotOurs rather than take over a namespace that another hand made, NamespaceTerminating while
        the old one is being deleted.
        """
        wanted = manifests.namespace(spec)
        try:
            found = self.api.request("GET", path_of("namespaces", name=spec.namespace))
        except errors.NotFound:
            try:
                found = self.api.request("POST", path_of("namespaces"), body=wanted)
            except errors.Conflict:  # made by another hand since we looked
                found = self.api.request("GET", path_of("namespaces", name=spec.namespace))
        cluster_readings.refuse_foreign_namespace(found, spec)
        if not cluster_readings.covers(found, wanted):
            self._apply("namespaces", "", wanted)
        for kind, manifest in manifests.tenant_objects(spec):
            self._apply(kind, spec.namespace, manifest)
        return str(found["metadata"]["uid"])

    def _apply(self, kind: str, namespace: str, manifest: Json) -> None:
        path = path_of(kind, namespace, manifest["metadata"]["name"])
        self.api.request("PATCH", path, query=FIELD_MANAGER, body=manifest, content_type=APPLY)

    def inspect_namespaces(self, specs: Iterable[NamespaceSpec]) -> dict[str, NamespaceState]:
        """Namespaces of ours by name, each with whether it is as `specs` want it. One LIST per kind of object."""
        query = {"labelSelector": self._own()}
        objects: dict[tuple[str, str, str], Json] = {}
        for kind in ("namespaces", *manifests.tenant_kinds()):
            objects |= cluster_readings.by_name(kind, self.api.items(path_of(kind), query=query))
        return cluster_readings.namespace_states(objects, specs)

    def namespaces(self) -> dict[str, NamespaceState]:
        """Namespaces of ours by name, without a look at what is in them."""
        items = self.api.items(path_of("namespaces"), query={"labelSelector": self._own()})
        return cluster_readings.namespace_states(cluster_readings.by_name("namespaces", items), ())

    def list_runs(self, between: Callable[[], None] = nothing) -> list[Run]:
        """Every run of ours: one paged LIST of Jobs, then one of pods, whatever the number of tenants.

        `between` two pages the caller may do what cannot wait.
        """
        with collector_asleep():
            jobs, pods = self._jobs_and_pods(between=between)
            return self._runs(jobs, pods)

    def list_runs_and_snapshot(self, between: Callable[[], None] = nothing) -> tuple[list[Run], ClusterSnapshot]:
        """Both from the same lists, and one more of nodes."""
        with collector_asleep():
            jobs, pods = self._jobs_and_pods(between=between)
            runs = self._runs(jobs, pods)
            nodes = self.api.items(path_of("nodes"))
            return runs, cluster_readings.snapshot(nodes, jobs, pods, runs, datetime.now(UTC), self._others())

    def snapshot(self, *, timeout_s: float = 10.0) -> ClusterSnapshot:
        """Nodes, our Jobs and our pods at this moment, for dashboards: three LISTs, now and then a fourth."""
        nodes = self.api.items(path_of("nodes"), timeout_s=timeout_s)
        jobs, pods = self._jobs_and_pods(timeout_s)
        others = self._others(timeout_s)
        with collector_asleep():  # not while a web process waits for a slow answer
            runs = job_readings.runs(jobs, pods, {})
            return cluster_readings.snapshot(nodes, jobs, pods, runs, datetime.now(UTC), others)

    def _others(self, timeout_s: float = LIST_TIMEOUT_S) -> Mapping[str, Counter[str]]:
        """What all pods but ours request of each node: they change seldom, and may be many, so they are asked seldom.

        Bounded by pages, and by what is kept of each pod.
        """
        if time.monotonic() - self._others_asked_at >= ASK_OTHERS_EVERY_S:
            query = {"labelSelector": installation.others_selector(), "fieldSelector": pod_requests.NOT_ENDED}
            pods = self.api.items(path_of("pods"), query=query, timeout_s=timeout_s, keep=pod_requests.slim)
            self._others_request = pod_requests.by_node(pods)
            self._others_asked_at = time.monotonic()
        return self._others_request

    def pool_limits(self, name: str) -> Mapping[str, str]:
        """How much a Karpenter NodePool may make, by resource, as quantities. Raises NotFound."""
        return cluster_readings.pool_limits(self.api.request("GET", path_of("nodepools", name=name)))

    def usage(self, namespace: str, *, timeout_s: float = 3.0) -> Mapping[str, float]:
        """What one tenant's pods that have not ended ask for: cpu (cores), memory (bytes), pods, running."""
        pods = self.api.items(path_of("pods", namespace), query={"labelSelector": self._own()}, timeout_s=timeout_s)
        found = cluster_readings.snapshot([], [], pods, [], datetime.now(UTC)).usage_by_namespace
        return found.get(namespace) or {"cpu": 0.0, "memory": 0.0, "pods": 0.0, "running": 0.0}

    def _jobs_and_pods(
        self, timeout_s: float = LIST_TIMEOUT_S, between: Callable[[], None] = nothing
    ) -> tuple[list[Json], list[Json]]:
        # Jobs first: a pod that vanishes in between belongs to a Job that is still listed.
        query = {"labelSelector": self._own()}
        jobs = self.api.items(
            path_of("jobs"), query=query, timeout_s=timeout_s, keep=job_readings.slim_job, between=between
        )
        pods = self.api.items(
            path_of("pods"), query=query, timeout_s=timeout_s, keep=job_readings.slim_pod, between=between
        )
        return jobs, pods

    def _runs(self, jobs: list[Json], pods: list[Json]) -> list[Run]:
        # Events only when something has waited for a while and nothing else tells why.
        before = datetime.now(UTC) - EXPLAIN_AFTER
        explanations: dict[str, str] = {}
        if event_readings.has_unexplained(jobs, pods, before):
            explanations |= self._explanations(event_readings.REFUSED_PODS)
        if event_readings.has_unschedulable(pods, before):
            if time.monotonic() - self._autoscaler_asked_at >= ASK_AUTOSCALER_EVERY_S:
                self._autoscaler_says = self._explanations(event_readings.REFUSED_MACHINES)
                self._autoscaler_asked_at = time.monotonic()
            explanations |= self._autoscaler_says
        return job_readings.runs(jobs, pods, explanations, self._known_runs)

    def _explanations(self, selector: str) -> dict[str, str]:
        return event_readings.explanations(self.api.items(path_of("events"), query={"fieldSelector": selector}))

    def start_run(self, spec: RunSpec) -> bool:
        """Create the run's Job; False if it is there already, from an earlier try whose answer was lost."""
        try:
            self.api.request("POST", path_of("jobs", spec.namespace), body=manifests.job(spec))
        except errors.Conflict as error:
            if "being deleted" in str(error):
                raise
            return False
        except errors.QuotaExceeded:  # also the answer to a duplicate when a count quota is full: look
            if self.run_exists(spec.namespace, spec.name):
                return False
            raise
        return True

    def run_exists(self, namespace: str, name: str) -> bool:
        try:
            self.api.request("GET", path_of("jobs", namespace, name))
        except errors.NotFound:
            return False
        return True

    def delete_run(self, namespace: str, name: str) -> bool:
        """Delete the Job and, always, its pods, in the background; False if it was gone already."""
        try:
            self.api.request("DELETE", path_of("jobs", namespace, name), body={"propagationPolicy": "Background"})
        except errors.NotFound:
            return False
        return True

    def release_run(self, namespace: str, name: str, *, ttl_s: int) -> bool:
        """Let Kubernetes delete the finished Job after `ttl_s`; False if it was gone already."""
        body = {"spec": {"ttlSecondsAfterFinished": ttl_s}}
        try:
            self.api.request("PATCH", path_of("jobs", namespace, name), body=body, content_type=MERGE)
        except errors.NotFound:
            return False
        return True

    def read_log(
        self,
        namespace: str,
        pod: str,
        *,
        tail: int = 500,
        since: datetime | None = None,
        timestamps: bool = False,
        timeout_s: float = READ_TIMEOUT_S,
    ) -> str:
        """The pod's last `tail` lines, at most the last 256 KiB of them. Empty if it has no node yet.

        Raises NotReady while its container has not started, NotFound when the pod is gone.
        """
        query: dict[str, str | int] = {"container": manifests.CONTAINER, "tailLines": tail}
        if since:
            query["sinceTime"] = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if timestamps:
            query["timestamps"] = "true"
        path = path_of("pods", namespace, pod, "log")
        text = self.api.tail(path, query=query, keep_bytes=MAX_LOG_BYTES, timeout_s=timeout_s)
        return text.replace("\0", "")

    def watch(self, kind: str, stop: threading.Event) -> Iterator[bool]:
        """Yields whenever something of ours changes, True if it completes an ending: see `ended_runs`. Returns when the
        server ends the watch."""
        query: dict[str, str | int] = {"labelSelector": self._own()}
        start = self.api.request("GET", path_of(kind), query={**query, "limit": 1})["metadata"]["resourceVersion"]
        query |= {"watch": "true", "resourceVersion": start, "timeoutSeconds": WATCH_S, "allowWatchBookmarks": "true"}
        for line in self.api.lines(path_of(kind), query=query, timeout_s=WATCH_S + 30):
            if stop.is_set():
                return
            if b'"BOOKMARK"' not in line[:40] and line.strip():
                yield self._verdicts.heed(kind, line)

    def ended_runs(self) -> list[Run]:
        """Runs that have ended, as the watches told since this was asked last. Asks nobody, and promises nothing: what
        no watch told, the lists do."""
        return self._verdicts.take()


def gateway_of(cluster: Cluster) -> Gateway:
    """The one to that cluster, with its connections. Raises NotConfigured."""
    return _gateway(cluster.kubeconfig or settings.KUBE_CONFIG_PATH, cluster.context, cluster.label)


def forget_gateways() -> None:
    """Each is made anew when it is next asked for."""
    _gateway.cache_clear()


@cache
def _gateway(kubeconfig: str, context: str, label: str) -> Gateway:
    return Gateway(KubeApi(kubeconfig, context), label)
