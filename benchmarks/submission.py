"""POST /jobs over real HTTP and PostgreSQL, the web as deployed, against a bare WSGI app that does the same INSERT."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from benchmarks.rows import forget_jobs
from benchmarks.stack import product, served
from benchmarks.tables import percentile

CLIENTS = (1, 8, 32)
BODY = json.dumps({"scenario_id": "zurich_peak", "cpu_request": 2, "memory_gi": 4})
SUBMIT = ("POST", "/jobs", BODY, 201)


def load(
    url: str, headers: dict[str, str], clients: int, seconds: float, ask: tuple[str, str, str, int] = SUBMIT
) -> list[float]:
    """`clients` keep-alive connections repeat `ask` (method, path, body, the status that every answer must have) for
    `seconds`; returns how long each took."""
    method, path, body, expected = ask
    latencies: list[float] = []
    failures: list[str] = []
    until = time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        mine = []
        while time.perf_counter() < until:
            began = time.perf_counter()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            mine.append(time.perf_counter() - began)
            if answer.status != expected:
                failures.append(f"{answer.status} {text[:200]!r}")
                break
        connection.close()
        latencies.extend(mine)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"not every request was answered with {expected}: {failures[0]}")
    return latencies


def measure(key: str, *, rounds: int = 7, seconds: float = 2.0) -> list[dict[str, Any]]:
    """A row per number of clients and application, in short turns so that both meet the same machine, and one with the
    medians over the rounds of how many times the bare application is faster."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    rows = []
    alone = ("-m", "gunicorn", "-c", "python:sumok8.gunicorn_conf", "benchmarks.bare_wsgi")
    with product() as ours, served(*alone, ready_path="/") as bare:
        targets = {"sumo-k8": ours, "bare wsgi": bare}
        for url in targets.values():
            load(url, headers, 4, 1.0)  # warm-up
        for clients in CLIENTS:
            found: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
            taken: dict[str, list[float]] = {name: [] for name in targets}
            for _ in range(rounds):
                for name, url in targets.items():
                    # Counting a tenant's active jobs is part of a submission: each turn begins without any.
                    forget_jobs()
                    latencies = load(url, headers, clients, seconds)
                    found[name].append(figures(latencies, seconds))
                    taken[name] += latencies
            for name in targets:
                rows.append({"application": name, "clients": clients, **figures(taken[name], rounds * seconds)})
            times = [_times_slower(*pair) for pair in zip(*found.values(), strict=True)]
            medians = {figure: percentile([each[figure] for each in times], 0.5) for figure in times[0]}
            rows.append({"application": "times", "clients": clients, **medians})
    return rows


def figures(latencies: list[float], seconds: float) -> dict[str, float]:
    """Rate and percentiles of requests that took `latencies` seconds each, within `seconds`."""
    shares = {f"p{share} ms": percentile(latencies, share / 100) * 1000 for share in (50, 95, 99)}
    return {"requests/s": len(latencies) / seconds, **shares}


def _times_slower(ours: dict[str, float], bare: dict[str, float]) -> dict[str, float]:
    return {name: bare[name] / ours[name] if name == "requests/s" else ours[name] / bare[name] for name in ours}


def queries_of(call: Callable[[], Any]) -> int:
    """SQL statements that `call` runs in this process, BEGIN and COMMIT not counted."""
    from django.db import connection  # after django.setup()
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        call()
    return sum(query["sql"] not in {"BEGIN", "COMMIT"} for query in captured)


def measure_queries(key: str) -> list[dict[str, Any]]:
    """In this process, each request once after a first that warms it."""
    from django.test import Client

    client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})

    def submit() -> str:
        return client.post("/jobs", BODY, content_type="application/json").json()["job_id"]

    job = submit()
    paths = [
        "/jobs",
        f"/jobs/{job}",
        f"/jobs/{job}/events",
        f"/jobs/{job}/results",
        "/tenants/me/dashboard",
        "/scenarios",
    ]
    rows = [{"request": "POST /jobs", "queries": queries_of(submit)}]
    for path in paths:
        row = {"request": f"GET {path.replace(job, '{id}')}", "queries": queries_of(lambda path=path: client.get(path))}
        rows.append(row)
    return rows
