"""What Prometheus is told of jobs and passes, and by whom."""

import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client.core import REGISTRY

from clusterops.reconciler import exporter
from clusterops.reconciler.pass_state import Memory, Pass
from clusterops.reconciler.recording import record
from simulations.models import Job, Move
from tests.factories import JobFactory, TenantFactory

pytestmark = pytest.mark.django_db


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_jobs_way_is_counted_once() -> None:
    now = timezone.now()
    this_pass = Pass(gateway=None, memory=Memory(), now=now)  # type: ignore[arg-type] # nothing is asked of the cluster
    job = JobFactory(submitted_at=now - timedelta(seconds=40))
    names = ("dispatch_wait", "start_wait", "run")
    before = [value(f"sumok8_job_{name}_seconds_sum") for name in names]
    lost, ended = value("sumok8_attempts_lost_total"), {"status": "FAILED", "reason": "TIME_LIMIT"}
    finished = value("sumok8_jobs_finished_total", **ended)
    for columns, status, reason in (
        ({"dispatched_at": now - timedelta(seconds=30)}, "PENDING", "STARTING"),
        ({"started_at": now - timedelta(seconds=10)}, "RUNNING", "RUNNING"),
        ({"attempt": 2, "dispatched_at": None}, "RUNNING", "QUEUED"),
        ({"finished_at": now}, "FAILED", "TIME_LIMIT"),
    ):
        assert record(this_pass, [Move(job, status, reason, "", columns)])
    after = [value(f"sumok8_job_{name}_seconds_sum") for name in names]
    assert [round(b - a) for a, b in zip(before, after, strict=True)] == [10, 20, 10]
    assert value("sumok8_attempts_lost_total") == lost + 1
    assert value("sumok8_jobs_finished_total", **ended) == finished + 1


def test_gauges_are_told_by_the_one_at_work(settings: Any) -> None:
    tenant = TenantFactory(tenant_id="city-a")
    JobFactory(tenant=tenant, submitted_at=timezone.now() - timedelta(minutes=5))
    JobFactory(tenant=tenant, status="FAILED", reason="IMAGE_ERROR", finished_at=timezone.now())
    settings.METRICS_PER_TENANT = True
    told = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in exporter.gauges()
        for sample in metric.samples
    }
    assert told["sumok8_jobs_active", "PENDING", "default"] == told["sumok8_jobs_waiting", "default"] == 1
    assert told["sumok8_oldest_waiting_age_seconds", "default"] >= 300
    assert told["sumok8_attention", "image_error", "operator"] == 1
    assert told["sumok8_attention", "rows_failing", "operator"] == 0
    assert told["sumok8_tenant_jobs", "city-a", "queued"] == 1
    assert list(exporter.DatabaseCollector(lambda: False).collect()) == []
    assert Job.objects.count() == 2


def test_scrapes_are_answered_on_a_port_of_their_own() -> None:
    server, thread = exporter.serve("127.0.0.1:0", lambda: False)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "sumok8_reconciler_pass_seconds_bucket" in text
    assert "sumok8_jobs_active" not in text
