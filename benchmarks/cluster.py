"""How fast wishes become Kubernetes Jobs and ends become rows, on a local cluster whose pods do nothing."""

import contextlib
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.stack import ROOT
from benchmarks.tables import percentile

WATCHED = 200
EVERY_S = 0.15  # between submissions of the latency run: a steady stream, not a burst


@contextlib.contextmanager
def local_cluster(folder: Path, program: str = "pod.sh") -> Iterator[Path]:
    """A cluster with room for all, whose pods run `program`; the settings' cluster from now on. Yields the folder that
    pods and benchmark share."""
    from django.conf import settings

    from clusterops.gateway import forget_gateways
    from localcluster.cluster import start_process
    from localcluster.config import Image, LocalClusterConfig

    ended = folder / "ended"
    ended.mkdir(parents=True)
    image = Image(env={"ENDED_FOLDER": str(ended)}, python=str(ROOT / "benchmarks" / program), writable=(str(ended),))
    config = LocalClusterConfig(
        data=folder / "cluster", kubeconfig=folder / "kubeconfig", cpu="1000", memory="4000Gi", default_image=image
    )
    process = start_process(config)
    settings.KUBE_CONFIG_PATH = os.environ["KUBE_CONFIG_PATH"] = str(config.kubeconfig)
    forget_gateways()
    try:
        yield ended
    finally:
        process.terminate()
        process.wait()


def submit(number: int, tenant_id: str = "bench") -> list[Any]:
    from simulations.models import Job
    from simulations.services import submit_job
    from tenants.models import Tenant

    tenant = Tenant.objects.get(pk=tenant_id)
    wanted = {
        "scenario_id": "zurich_peak", "scenario_version": None, "config": None, "seed": 1, "begin": None, "end": None,
        "step_length": None, "scale": None, "options": {}, "outputs": [], "emissions": False, "time_limit_s": 60,
        "labels": {}, "cpu_request": 1, "memory_gi": 1, "priority": 0,
    }  # fmt: skip
    jobs: list[Job] = [submit_job(tenant=tenant, wanted=wanted)[0] for _ in range(number)]
    return jobs


def dispatch() -> list[dict[str, Any]]:
    """Jobs created per second with the rate limit off and at its default, in a cluster that takes each at once."""
    from django.conf import settings
    from django.test import override_settings

    from benchmarks.stub_cluster import served
    from clusterops.reconciler.one_pass import Memory, reconcile_once
    from simulations.models import Job

    rows = []
    for limit, number in ((0, 1000), (settings.DISPATCH_PER_SECOND, 50)):
        Job.objects.all().delete()
        with served([]) as (gateway, _), override_settings(DISPATCH_PER_SECOND=limit):
            memory = Memory()
            submit(number)
            began, created = time.perf_counter(), 0
            while created < number:
                created += reconcile_once(gateway, memory).counts.created
                time.sleep(0.05 if limit else 0)
            seconds = time.perf_counter() - began
        rows.append({"limit/s": limit or "off", "jobs": number, "seconds": seconds, "created/s": number / seconds})
    return rows


def latency(folder: Path) -> list[dict[str, Any]]:
    """Submit → Job seen in the cluster, and pod ended → end recorded, with the reconciler's own process."""
    from clusterops.gateway import gateway_of
    from simulations.models import Job
    from tenants.clusters import first_cluster

    Job.objects.all().delete()
    seen: dict[str, float] = {}
    recorded: dict[uuid.UUID, float] = {}
    stop = threading.Event()
    with local_cluster(folder) as ended:
        gateway = gateway_of(first_cluster())
        os.environ["DISPATCH_PER_SECOND"] = "0"
        reconciler = subprocess.Popen([sys.executable, "manage.py", "reconcile_jobs"], cwd=ROOT)

        def watch() -> None:
            while not stop.wait(0.01):
                now = time.time()
                for run in gateway.list_runs():
                    seen.setdefault(run.job_id, now)
                for pk in Job.objects.filter(status=Job.Status.SUCCEEDED).values_list("pk", flat=True):
                    recorded.setdefault(pk, now)

        watcher = threading.Thread(target=watch)
        watcher.start()
        submit(1)  # the tenant's namespace is made for the first job
        until(lambda: len(recorded) == 1)
        jobs = []
        for _ in range(WATCHED):
            jobs += submit(1)
            time.sleep(EVERY_S)
        until(lambda: len(recorded) == WATCHED + 1)
        stop.set()
        watcher.join()
        reconciler.terminate()
        reconciler.wait()
        ends = {job.pk: float((ended / str(job.pk)).read_text()) for job in jobs}
    created = [seen[job.pk.hex] - _unix(job.submitted_at) for job in jobs]
    told = [recorded[job.pk] - ends[job.pk] for job in jobs]
    return [
        {"from": start, "to": end, "p50 s": percentile(values, 0.5), "p99 s": percentile(values, 0.99)}
        for start, end, values in (("submitted", "Job exists", created), ("pod ended", "recorded", told))
    ]


def _unix(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()


def until(condition: Any, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("the jobs did not end in time")
        time.sleep(0.05)
