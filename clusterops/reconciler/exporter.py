"""Gauges that the database knows, for Prometheus: served by the reconciler at work alone, so that nothing is told
once per web replica."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from threading import Lock, Thread
from wsgiref.simple_server import WSGIServer

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import REGISTRY, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from clusterops.attention import look
from clusterops.models import ReconcilerState
from clusterops.policy.causes import CAUSES
from simulations.models import WAITS, Job, JobCount
from tenants.clusters import FIRST, Cluster

TENANTS = 1000  # told one by one where METRICS_PER_TENANT asks for it
TROUBLES = {  # of the last pass; see `pass_state.Counts`
    "failing": "Jobs, tenants and objects that fail pass after pass and step back.",
    "unreadable": "Kubernetes objects in a shape that cannot be read.",
}
RESOURCES = {"cpu": "cores", "memory": "bytes"}


class DatabaseCollector(Collector):
    """A few queries at each scrape, whatever the table's size; nothing while another reconciler is at work. One scrape
    at a time: whoever knocks, the passes keep the pool's other connections."""

    def __init__(
        self, is_at_work: Callable[[], bool], cluster_id: int = FIRST, works_for_all: Callable[[], bool] = lambda: True
    ) -> None:
        self._is_at_work = is_at_work
        self._cluster_id = cluster_id
        self._works_for_all = works_for_all
        self._turn = Lock()

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is asked of the database when it is registered."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        if self._is_at_work():
            with self._turn:
                found = self._asked()
            yield from found

    def _asked(self) -> list[GaugeMetricFamily]:
        close_old_connections()  # a scrape's thread has a connection of its own
        try:
            return list(gauges(self._cluster_id, for_all=self._works_for_all()))
        except DatabaseError:
            return []  # the counters are told all the same
        finally:
            close_old_connections()


def gauges(cluster_id: int = FIRST, *, for_all: bool = True) -> Iterator[GaugeMetricFamily]:
    """A cluster's own, marked with its name; `for_all`: and those of the installation."""
    cluster = Cluster.objects.get(pk=cluster_id)
    for family in (*_jobs(cluster), *_state(ReconcilerState.get(cluster_id))):
        for sample in family.samples:
            sample.labels["cluster"] = cluster.name
        yield family
    if not for_all:
        return
    attention = GaugeMetricFamily(
        "sumok8_attention", "What needs somebody: see GET /admin/attention.", labels=["cause", "who"]
    )
    found = {each.cause.code: each.count for each in look().findings}
    for code, cause in CAUSES.items():
        attention.add_metric([code, cause.who], found.get(code, 0))
    yield attention
    yield from _volume(ReconcilerState.get(cluster_id))
    if settings.METRICS_PER_TENANT:
        yield _tenants()


def _jobs(cluster: Cluster) -> Iterator[GaugeMetricFamily]:
    total = JobCount.objects.filter(tenant__cluster=cluster).total()
    active = GaugeMetricFamily("sumok8_jobs_active", "Jobs that have not ended.", labels=["status"])
    for status, count in ((Job.Status.PENDING, total.pending), (Job.Status.RUNNING, total.running)):
        active.add_metric([status], count)
    yield active
    in_hand = Job.objects.in_hand().filter(dispatched_at__isnull=False, cluster=cluster)
    running = in_hand.exclude(WAITS).count()
    waiting = max(0, total.active - running)  # counted at two moments
    yield GaugeMetricFamily("sumok8_jobs_waiting", "Active jobs that do not run at present.", value=waiting)
    oldest = (
        Job.objects.queued().filter(cluster=cluster).order_by("submitted_at").values_list("submitted_at", flat=True)
    )
    first = oldest.first() if total.queued else None
    age = (timezone.now() - first).total_seconds() if first else 0.0
    yield GaugeMetricFamily("sumok8_oldest_waiting_age_seconds", "Of the job that waits longest in line.", value=age)
    ended = GaugeMetricFamily("sumok8_jobs_finished_last_hour", "Jobs by how they ended.", labels=["status"])
    recent = Job.objects.filter(finished_at__gt=timezone.now() - timedelta(hours=1), cluster=cluster).order_by()
    counts = dict(recent.values_list("status").annotate(Count("pk")))
    for status in Job.TERMINAL:
        ended.add_metric([status], counts.get(status, 0))
    yield ended


def _state(state: ReconcilerState) -> Iterator[GaugeMetricFamily]:
    if state.pass_finished_at:
        age = (timezone.now() - state.pass_finished_at).total_seconds()
        yield GaugeMetricFamily("sumok8_reconciler_last_pass_age_seconds", "Since the last pass ended.", value=age)
    for name, words in TROUBLES.items():
        yield GaugeMetricFamily(f"sumok8_reconciler_{name}", words, value=state.counts.get(name, 0))
    reachable = state.cluster_reachable is True
    yield GaugeMetricFamily("sumok8_cluster_reachable", "1: the last pass saw the cluster.", value=reachable)
    if not reachable or not state.snapshot:
        return  # what was seen before is no news
    nodes = state.snapshot["nodes"]
    machines = GaugeMetricFamily("sumok8_nodes", "Machines of the cluster, as last seen.", labels=["ready"])
    for ready in (True, False):
        machines.add_metric([str(ready).lower()], sum(node["ready"] is ready for node in nodes))
    yield machines
    for resource, unit in RESOURCES.items():
        allocatable, requested = sum(n[resource] for n in nodes), sum(n[f"{resource}_requested"] for n in nodes)
        name = f"sumok8_cluster_{resource}"
        yield GaugeMetricFamily(f"{name}_allocatable_{unit}", "Of all machines.", value=allocatable)
        yield GaugeMetricFamily(f"{name}_requested_{unit}", "By all pods, whosever.", value=requested)


def _volume(state: ReconcilerState) -> Iterator[GaugeMetricFamily]:
    """Of the files; nothing with a bucket."""
    if state.volume_free is not None and state.volume_size is not None:
        yield GaugeMetricFamily("sumok8_volume_free_bytes", "Where files are kept.", value=state.volume_free)
        yield GaugeMetricFamily("sumok8_volume_size_bytes", "Where files are kept.", value=state.volume_size)


def _tenants() -> GaugeMetricFamily:
    jobs = GaugeMetricFamily("sumok8_tenant_jobs", "A tenant's jobs that have not ended.", labels=["tenant", "state"])
    for row in JobCount.objects.order_by("tenant_id")[:TENANTS]:
        for state, count in (("queued", row.queued), ("started", row.active - row.queued)):
            jobs.add_metric([row.tenant_id, state], count)
    return jobs


def serve(
    address: str,
    is_at_work: Callable[[], bool],
    cluster_id: int = FIRST,
    works_for_all: Callable[[], bool] = lambda: True,
) -> tuple[WSGIServer, Thread]:
    """Answer scrapes on `address` (host:port) from a thread that ends with the process. Raises OSError."""
    host, _, port = address.rpartition(":")
    registry = CollectorRegistry()
    registry.register(DatabaseCollector(is_at_work, cluster_id, works_for_all))
    registry.register(_Others())
    return start_http_server(int(port), host, registry)


class _Others(Collector):
    """What this process counts as it works."""

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        return REGISTRY.collect()
