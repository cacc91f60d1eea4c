"""Queued, reserved and running are three numbers, and the same ones wherever they are told."""

from collections.abc import Callable
from pathlib import Path

from django.db.models import Q
from django.test import Client

from clusterops.dashboard import tenant_list
from clusterops.dashboard.overview import job_counts
from clusterops.models import ClusterSample
from clusterops.reconciler import exporter
from simulations.models import Job
from tenants.models import Tenant
from tests.clusterops.reconciler.conftest import Loop

QUEUED, STARTING, RUNNING = 1, 2, 3


def test_by_page_chart_tenant_home_and_metric(
    loop: Loop, submit: Callable[..., Job], city: Tenant, superuser: Client, tmp_path: Path
) -> None:
    for _ in range(RUNNING):
        loop.until_reason(submit(hold=str(tmp_path / "go")), "RUNNING")
    for _ in range(STARTING + QUEUED):  # five may be there at a time
        submit()
    loop.memory.done_at.pop("sample")
    loop.once()

    counts = job_counts()
    assert [counts[name] for name in ("queued", "starting", "running")] == [QUEUED, STARTING, RUNNING]
    sample = ClusterSample.objects.latest("at")
    assert (sample.queued, sample.starting, sample.running) == (QUEUED, STARTING, RUNNING)
    (row,) = tenant_list.section(Q())["rows"]
    assert (row.queued, row.started) == (QUEUED, STARTING + RUNNING)
    running, queued, *_ = superuser.get("/admin/").context["tiles"]
    assert (running.count, running.note, queued.count) == (RUNNING, f"{STARTING} starting", QUEUED)
    told = {sample.name: sample.value for family in exporter.gauges() for sample in family.samples}
    assert told["sumok8_jobs_waiting"] == QUEUED + STARTING
