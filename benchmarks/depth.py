"""What a deep queue costs: a pass, submissions, lists and pages over 10³ to 10⁶ waiting jobs of 200 tenants.

Answers are compared with those of an empty queue: the same web on a copy of the database as it was before, asked in
turns. DEPTH=10000 goes no deeper; 10⁶ rows take minutes to make.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from benchmarks.stack import product
from benchmarks.submission import BODY
from benchmarks.tables import percentile

SIZES = (0, 1_000, 10_000, 100_000, 1_000_000)
TENANTS = 200
DISPATCHED = 10_000
CHUNK = 20_000
ROUNDS, EACH = 6, 15  # requests of each sort, in turns

FILL = """
INSERT INTO jobs ({columns})
SELECT {values} FROM (SELECT n, gen_random_uuid() AS id FROM generate_series(%(first)s::int, %(last)s::int) n) new
CROSS JOIN (SELECT * FROM jobs WHERE job_id = %(like)s) t
"""


def measure() -> list[dict[str, Any]]:
    from django.db import connection

    from benchmarks.rows import clear

    headers, cookie, like = _people()
    empty = _copy("before")
    rows, filled = [], 0
    deepest = int(os.environ.get("DEPTH", SIZES[-1]))
    for waiting in (size for size in SIZES if size <= deepest):
        dispatched = min(DISPATCHED, waiting)
        _fill(like, filled, waiting, dispatched)
        filled = waiting
        connection.close()
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.depth_pass"], check=True, stdout=subprocess.PIPE, text=True
        )
        row = {"waiting": waiting, "dispatched": dispatched, **json.loads(done.stdout.splitlines()[-1])}
        rows.append(row | _answers(headers, cookie, empty))
        print(rows[-1], flush=True)  # the next size may take minutes
    clear()
    return rows


def _people() -> tuple[dict[str, str], dict[str, str], Any]:
    """200 tenants; the headers of one of them and of staff, and a job to make others like."""
    from django.contrib.auth.models import User
    from django.test import Client

    from benchmarks.cluster import submit
    from benchmarks.rows import fresh_tenant
    from tenants.models import ApiKey, Tenant

    fresh_tenant("d-0")
    first = Tenant.objects.get()
    slots = DISPATCHED // TENANTS
    others = [Tenant(tenant_id=f"d-{n}", namespace=f"d-{n}") for n in range(1, TENANTS)]
    Tenant.objects.bulk_create(others)
    limits = {"max_queued_jobs": 10**7, "max_cpu": 10**4, "max_memory_gi": 10**4}
    Tenant.objects.update(max_concurrent_jobs=slots, **limits)
    staff = Client(headers={"Host": "localhost"})
    staff.force_login(User.objects.create_superuser("depth"))
    (job,) = submit(1, first.pk)
    key = ApiKey.objects.issue(tenant=first)[1]
    cookies = "; ".join(f"{name}={each.value}" for name, each in staff.cookies.items())
    return {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}, {"Cookie": cookies}, job.pk


def _copy(name: str) -> str:
    """DATABASE_URL of a copy of the database as it is now."""
    import psycopg
    from django.db import connections

    connections["default"].close()
    connections["default"].close_pool()  # type: ignore[attr-defined]
    start, _, source = os.environ["DATABASE_URL"].rpartition("/")
    host = start.partition("@/")[2]
    with psycopg.connect(host=host, user="postgres", dbname="postgres", autocommit=True) as own:
        own.execute(f'DROP DATABASE IF EXISTS "{name}"')
        own.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"')
    return f"{start}/{name}"


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


def _answers(headers: dict[str, str], cookie: dict[str, str], empty: str) -> dict[str, float]:
    """p95 in ms of each request; of a submission also how many times that of an empty queue."""
    from simulations.models import Job

    waiting = Job.objects.filter(tenant_id="d-0").order_by("status", "-submitted_at")[:1].get()
    asks = {
        "POST": ("POST", "/jobs", BODY, headers),
        "list": ("GET", "/jobs", None, headers),
        "job": ("GET", f"/jobs/{waiting.pk}", None, headers),
        "/cluster/": ("GET", "/cluster/", None, cookie),
        "/cluster/jobs/": ("GET", "/cluster/jobs/", None, cookie),
    }
    took: dict[str, list[float]] = {name: [] for name in asks} | {"empty": []}
    with product() as full, product(DATABASE_URL=empty) as other:
        for _ in range(ROUNDS):
            for name, request in asks.items():
                took[name] += _times(full, *request)
            took["empty"] += _times(other, *asks["POST"])
    found = {f"{name} p95 ms": percentile(each, 0.95) * 1000 for name, each in took.items() if name != "empty"}
    times = {
        f"POST p{share} times empty": percentile(took["POST"], share / 100) / percentile(took["empty"], share / 100)
        for share in (50, 95)
    }
    return {**found, **times}


def _times(url: str, method: str, path: str, body: str | None, headers: dict[str, str]) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    took = []
    for _ in range(EACH):
        began = time.perf_counter()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        took.append(time.perf_counter() - began)
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {answer.status} {text[:200]!r}")
    connection.close()
    return took
