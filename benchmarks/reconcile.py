"""One reconciler pass over many active jobs, 1 % of them changed, against one GET per job.

Run as a program it measures one size in a process of its own, so that its peak memory is that size's alone.
"""

import json
import os
import resource
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.stub_cluster import served

SIZES = (100, 1_000, 10_000)
TENANTS = 20
GETS = 200  # enough to know what one costs


def measure() -> list[dict[str, Any]]:
    rows = []
    for size in SIZES:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.reconcile", str(size)], check=True, stdout=subprocess.PIPE, text=True
        )
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return rows


def make_rows(size: int) -> list[tuple[str, str]]:
    """`size` RUNNING jobs of TENANTS tenants in an emptied database; (Job name, namespace) of each."""
    from django.utils import timezone

    from simulations.models import Job
    from tenants.models import Tenant

    Job.objects.all().delete()
    now = timezone.now()
    tenants = [Tenant(tenant_id=f"t-{n}", namespace=f"t-{n}", max_concurrent_jobs=max(1, size)) for n in range(TENANTS)]
    Tenant.objects.bulk_create(tenants, ignore_conflicts=True)
    jobs = []
    for number in range(size):
        tenant, job_id = tenants[number % TENANTS], uuid.uuid4()
        name = f"sim-{job_id.hex}"
        jobs.append(
            Job(
                job_id=job_id,
                tenant=tenant,
                k8s_job_name=name,
                k8s_namespace=tenant.namespace,
                status="RUNNING",
                reason="RUNNING",
                message="The simulation is running.",
                pod_name=f"{name}-abcde",
                node_name="real-1",
                dispatched_at=now,
                started_at=now,
                submitted_at=now - timedelta(seconds=60),
            )
        )
    Job.objects.bulk_create(jobs, batch_size=1000)
    return [(job.k8s_job_name, job.k8s_namespace) for job in jobs]


def measure_one(size: int) -> dict[str, Any]:
    jobs = make_rows(size)
    with served(jobs) as (gateway, server):
        return _figures(size, jobs, gateway, server)


def _figures(size: int, jobs: list[tuple[str, str]], gateway: Any, ours: Connection) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from clusterops.reconciler.one_pass import Memory, reconcile_once
    from simulations.models import Job

    memory = Memory()
    reconcile_once(gateway, memory)  # warm: what is due at a start or each minute is done

    def one_pass() -> dict[str, float]:
        ours.send(("count",))
        before, cpu, began = ours.recv(), time.process_time(), time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            this_pass = reconcile_once(gateway, memory)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        ours.send(("count",))
        calls = ours.recv() - before
        return {"s": seconds, "cpu": cpu, "queries": len(queries), "calls": calls, "changed": this_pass.counts.changed}

    memory.done_at["live logs"] = time.monotonic() + 3600  # log reading is paced by itself, 20 a pass
    still = min((one_pass() for _ in range(3)), key=lambda figures: figures["s"])
    changed = jobs[::100][: max(1, size // 100)]
    ours.send(("finish", [name for name, _ in changed]))
    ours.recv()
    busy = one_pass()
    ended = Job.objects.filter(status="SUCCEEDED").count()
    if ended != len(changed):
        raise RuntimeError(f"{len(changed)} ended, {ended} were recorded")
    began = time.perf_counter()
    for name, namespace in jobs[:GETS]:
        gateway.run_exists(namespace, name)
    per_get = (time.perf_counter() - began) / min(GETS, size)
    return {
        "jobs": size,
        "still s": still["s"],
        "still queries": still["queries"],
        "calls": still["calls"],
        "1% s": busy["s"],
        "1% cpu s": busy["cpu"],
        "1% queries": busy["queries"],
        "1% calls": busy["calls"],
        "us/job": busy["s"] / size * 1e6,
        "one GET each s": per_get * size,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sumok8.settings")
    import django

    django.setup()
    print(json.dumps(measure_one(int(sys.argv[1]))))
