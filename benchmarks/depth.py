"""What a deep queue costs: a pass, submissions, lists and pages over 10³ to 10⁶ waiting jobs of 200 tenants.

DEPTH=10000 goes no deeper; 10⁶ rows take minutes to make.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.tables import percentile
from benchmarks.throughput import cpu_s

SIZES = (0, 1_000, 10_000, 100_000, 1_000_000)
TENANTS = 200
DISPATCHED = 10_000
CHUNK = 20_000
TIMES = 40  # requests of each sort
WARM = 100  # submissions before: after so many new rows, the first ones write whole pages of each index

FILL = """
INSERT INTO jobs ({columns})
SELECT {values} FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(%(first)s::int, %(last)s::int) n) new
CROSS JOIN (SELECT * FROM jobs WHERE job_id = %(like)s) t
"""


def measure() -> list[dict[str, Any]]:
    from django.db import connection

    from benchmarks.rows import clear
    from tenants.database import slow_statements_allowed

    caller, staff, like = _people()
    rows, filled = [], 0
    deepest = int(os.environ.get("DEPTH", SIZES[-1]))
    for waiting in (size for size in SIZES if size <= deepest):
        dispatched = min(DISPATCHED, waiting)
        _fill(like, filled, waiting, dispatched)
        filled = waiting
        connection.close()
        command = [sys.executable, "-m", "benchmarks.depth_pass"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        row = {"waiting": waiting, "dispatched": dispatched, **json.loads(done.stdout.splitlines()[-1])}
        rows.append(row | _answers(caller, staff))
        print(rows[-1], flush=True)  # the next size may take minutes
    with slow_statements_allowed(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs CASCADE")  # one by one, a million rows take all memory
    clear()
    return rows


def _people() -> tuple[Any, Any, Any]:
    """200 tenants; clients of one of them and of staff, and a job to make others like."""
    from django.contrib.auth.models import User
    from django.test import Client

    from benchmarks.cluster import submit
    from benchmarks.rows import fresh_tenant
    from tenants.models import Tenant

    key = fresh_tenant("d-0")
    others = [Tenant(tenant_id=f"d-{n}", namespace=f"d-{n}") for n in range(1, TENANTS)]
    Tenant.objects.bulk_create(others)
    limits = {"max_queued_jobs": 10**7, "max_cpu": 10**4, "max_memory_gi": 10**4}
    Tenant.objects.update(max_concurrent_jobs=DISPATCHED // TENANTS, **limits)
    staff = Client(headers={"Host": "localhost"})
    staff.force_login(User.objects.create_superuser("depth"))
    (job,) = submit(1, "d-0")
    return Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"}), staff, job.pk


def _fill(like: Any, filled: int, waiting: int, dispatched: int) -> None:
    """From `filled` waiting jobs to `waiting`, and `dispatched` running ones."""
    from django.db import connection

    from simulations.models import Job
    from tenants.database import slow_statements_allowed

    name = "'sim-' || replace(new.id::text, '-', '')"
    own = {
        "job_id": "new.id",
        "tenant_id": f"'d-' || (new.n %% {TENANTS})",
        "k8s_namespace": f"'d-' || (new.n %% {TENANTS})",
        "k8s_job_name": name,
        "submitted_at": "now() - make_interval(secs => new.n %% 86400)",
    }
    # The job to make others like had its turn meanwhile.
    own |= dict.fromkeys(("dispatching_at", "dispatched_at", "started_at", "finished_at", "results"), "NULL")
    own |= {"status": "'PENDING'", "reason": "'QUEUED'", "message": "'Waiting.'", "pod_name": "''", "node_name": "''"}
    runs = {
        **own,
        "status": "'RUNNING'",
        "reason": "'RUNNING'",
        "message": "'The simulation is running.'",
        "pod_name": f"{name} || '-abcde'",
        "node_name": "'real-1'",
        "dispatching_at": "now()",
        "dispatched_at": "now()",
        "started_at": "now()",
    }
    columns = [each.column for each in Job._meta.concrete_fields]
    running = Job.objects.filter(status="RUNNING").count()
    with slow_statements_allowed(), connection.cursor() as cursor:
        for values, first, last in ((own, filled, waiting), (runs, running, dispatched)):
            statement = FILL.format(
                columns=", ".join(columns), values=", ".join(values.get(each, f"t.{each}") for each in columns)
            )
            for start in range(first, last, CHUNK):
                cursor.execute(statement, {"first": start, "last": min(start + CHUNK, last) - 1, "like": like})
        cursor.execute("VACUUM ANALYZE jobs")


def _answers(caller: Any, staff: Any) -> dict[str, float]:
    """How long each request takes, and what CPU it costs the worker and the database together: no network."""
    from benchmarks.submission import BODY
    from simulations.models import Job

    waiting = Job.objects.filter(tenant_id="d-0").order_by("status", "-submitted_at")[:1].get()
    asks: dict[str, Callable[[], Any]] = {
        "POST": lambda: caller.post("/jobs", BODY, content_type="application/json"),
        "list": lambda: caller.get("/jobs"),
        "job": lambda: caller.get(f"/jobs/{waiting.pk}"),
        "/cluster/": lambda: staff.get("/cluster/"),
        "/cluster/jobs/": lambda: staff.get("/cluster/jobs/"),
    }
    row = {}
    for name, ask in asks.items():
        for _ in range(WARM if name == "POST" else 1):
            ask()
        took, cpu = [], _cpu_s()
        for _ in range(TIMES):
            began = time.perf_counter()
            answer = ask()
            took.append(time.perf_counter() - began)
            if answer.status_code not in (200, 201):
                raise RuntimeError(f"{name}: {answer.status_code}")
        row |= {f"{name} p50 ms": percentile(took, 0.5) * 1000, f"{name} p95 ms": percentile(took, 0.95) * 1000}
        row[f"{name} CPU ms"] = (_cpu_s() - cpu) / TIMES * 1000
    return row


def _cpu_s() -> float:
    """Of this process and of what serves it in the database."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        pids = [pid for (pid,) in cursor.fetchall()]
    return time.process_time() + sum(cpu_s(pid) for pid in pids if Path(f"/proc/{pid}").exists())
