"""The reconciler's own process between a queue and an API server whose pods end by themselves: how many Jobs a second,
how long from a pod's end to its record, and how soon a submitted job exists while many others run."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.cluster import submit, until
from benchmarks.reconcile import make_rows
from benchmarks.rows import fresh_tenant
from benchmarks.stack import ROOT
from benchmarks.stub_cluster import ask, kubeconfig_to
from benchmarks.tables import percentile

JOBS, LASTS_S = 3000, 1.0
RUNNING = 2000
WATCHED, EVERY_S = 200, 0.1


def measure() -> list[dict[str, Any]]:
    """`jobs` of one second each, all submitted beforehand, with the limit on and off."""
    from django.conf import settings

    return [_burst(1000, settings.DISPATCH_PER_SECOND), _burst(1000, 0), _burst(JOBS, 0)]


def _burst(number: int, limit: int) -> dict[str, Any]:
    from simulations.models import Job, JobEvent

    fresh_tenant()
    submit(number)
    with kubeconfig_to([], lasts_s=LASTS_S) as (path, server), reconciler(str(path), limit) as process:
        begun = time.time()
        until(lambda: not Job.objects.active().exists(), 60 + number / 5)
        wall_s, used_s = time.time() - begun, cpu_s(process.pid)
        created, ended = ask(server, "times")
        server_cpu_s = ask(server, "cpu")
    events = JobEvent.objects.filter(status=Job.Status.SUCCEEDED).values_list("job_id", "at")
    recorded = {pk.hex: at.timestamp() for pk, at in events}
    told = [recorded[job_id] - ended[job_id] for job_id in ended]
    making = max(created.values()) - min(created.values())
    return {
        "limit/s": limit or "off",
        "jobs": number,
        "Jobs/s": len(created) / making,
        "end to end s": max(recorded.values()) - min(created.values()),
        "recorded p50 s": percentile(told, 0.5),
        "recorded p99 s": percentile(told, 0.99),
        "most s": max(told),
        "CPU ms/job": used_s / number * 1000,
        "server's": server_cpu_s / number * 1000,
        "wall s": wall_s,
    }


def measure_latency() -> list[dict[str, Any]]:
    """Submitted → Job exists, beside RUNNING jobs whose logs are read all the time."""
    from simulations.models import Job

    fresh_tenant()
    rows = []
    for running in (0, RUNNING):
        jobs = make_rows(running)
        with kubeconfig_to(jobs) as (path, server), reconciler(str(path), 0):
            submit(1)
            until(lambda server=server: len(ask(server, "times")[0]) == 1)
            time.sleep(10)  # the first pass over all of them, and the first logs
            made = []
            for _ in range(WATCHED):
                made += submit(1)
                time.sleep(EVERY_S)
            until(lambda server=server: len(ask(server, "times")[0]) == WATCHED + 1)
            created, _ = ask(server, "times")
        waits = [created[job.pk.hex] - job.submitted_at.timestamp() for job in made]
        logs = Job.objects.filter(log__isnull=False).count()
        rows.append(
            {
                "running": running,
                "logs read": logs,
                "p50 s": percentile(waits, 0.5),
                "p99 s": percentile(waits, 0.99),
                "most s": max(waits),
            }
        )
    return rows


@contextlib.contextmanager
def reconciler(kubeconfig: str, limit: int) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py reconcile_jobs` on this cluster."""
    environment = {**os.environ, "KUBE_CONFIG_PATH": kubeconfig, "DISPATCH_PER_SECOND": str(limit)}
    process = subprocess.Popen([sys.executable, "manage.py", "reconcile_jobs"], cwd=ROOT, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """Of one process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
