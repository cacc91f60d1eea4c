"""Prometheus metrics at /metrics: what this service answers. What the database knows is told by the reconciler, once.

With several gunicorn workers, set PROMETHEUS_MULTIPROC_DIR to an empty folder: every worker then answers for all.
"""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import REGISTRY
from prometheus_client.multiprocess import MultiProcessCollector

from sumok8.dead_workers import counts_folder, files_stay

REQUESTS = Counter("sumok8_http_requests", "Answers by route, method and status.", ["route", "method", "status"])
DURATION = Histogram(
    "sumok8_http_request_duration_seconds",
    "Time to the answer's headers, but of requests that ask to wait.",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
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
        if "wait" not in request.GET:  # such an answer comes when something has happened, not as fast as it can
            DURATION.labels(route, method).observe(time.perf_counter() - began)
        return response


def metrics(request: HttpRequest) -> HttpResponse:
    """The text exposition format."""
    if folder := counts_folder():
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
        with files_stay(folder):
            told = generate_latest(registry)
    else:
        told = generate_latest(REGISTRY)
    return HttpResponse(told, content_type=CONTENT_TYPE_LATEST)
