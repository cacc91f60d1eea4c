"""Prometheus metrics at /metrics: what this service answers, and what the jobs table and the reconciler say.

With several gunicorn workers, set PROMETHEUS_MULTIPROC_DIR to an empty folder: every worker then answers for all.
"""

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import REGISTRY, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from clusterops.models import ReconcilerState
from simulations.models import WAITS, Job, JobCount

REQUESTS = Counter("sumok8_http_requests", "Answers by route, method and status.", ["route", "method", "status"])
DURATION = Histogram(
    "sumok8_http_request_duration_seconds",
    "Time to the answer's headers.",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
TROUBLES = {  # of the last pass; see `passing.Counts`
    "failing": "Jobs, tenants and objects that fail pass after pass and step back.",
    "unreadable": "Kubernetes objects in a shape that cannot be read.",
}
KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class MetricsMiddleware:
    """Counts and times every answer. Labels are bounded: the URL's pattern, never the URL."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "unmatched"
        method = request.method if request.method in KNOWN_METHODS else "other"
        REQUESTS.labels(route, method, response.status_code).inc()
        DURATION.labels(route, method).observe(time.perf_counter() - began)
        return response


class DatabaseCollector(Collector):
    """Gauges read from the database at each scrape; both counts follow an index, whatever the table's size."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        jobs = GaugeMetricFamily("sumok8_jobs_active", "Jobs that have not ended.", labels=["status"])
        total = JobCount.objects.all().total()
        for status, count in ((Job.Status.PENDING, total.pending), (Job.Status.RUNNING, total.running)):
            jobs.add_metric([status], count)
        yield jobs
        in_hand = Job.objects.in_hand().filter(dispatched_at__isnull=False)
        waiting = total.active - in_hand.exclude(WAITS).count()
        yield GaugeMetricFamily("sumok8_jobs_waiting", "Active jobs that do not run at present.", value=waiting)
        ended = GaugeMetricFamily("sumok8_jobs_finished_last_hour", "Jobs by how they ended.", labels=["status"])
        recent = Job.objects.filter(finished_at__gt=timezone.now() - timedelta(hours=1)).order_by()
        counts = dict(recent.values_list("status").annotate(Count("pk")))
        for status in Job.TERMINAL:
            ended.add_metric([status], counts.get(status, 0))
        yield ended
        state = ReconcilerState.get()
        if state.pass_finished_at:
            age = (timezone.now() - state.pass_finished_at).total_seconds()
            yield GaugeMetricFamily("sumok8_reconciler_last_pass_age_seconds", "Since the last pass ended.", value=age)
        for name, words in TROUBLES.items():
            yield GaugeMetricFamily(f"sumok8_reconciler_{name}", words, value=state.counts.get(name, 0))


def metrics(request: HttpRequest) -> HttpResponse:
    """The text exposition format."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    else:
        registry = REGISTRY
    gauges = CollectorRegistry()
    gauges.register(DatabaseCollector())
    return HttpResponse(generate_latest(registry) + generate_latest(gauges), content_type=CONTENT_TYPE_LATEST)
