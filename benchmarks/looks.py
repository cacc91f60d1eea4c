"""GET /jobs/{id} of a job that waits and of one that has ended: answers a second, and the web's CPU for each."""

import os
from pathlib import Path
from typing import Any

from benchmarks.stack import product
from benchmarks.submission import figures, load
from benchmarks.throughput import cpu_s
from tests.sumok8.web_processes import children

CLIENTS = (1, 32)
ROUNDS, SECONDS = 4, 2.0


def measure(key: str) -> list[dict[str, Any]]:
    """A row per number of clients and job, in turns so that all meet the same machine."""
    from django.utils import timezone

    from simulations.models import Job, Scenario
    from tests.factories import JobFactory

    common: dict[str, Any] = {"tenant_id": "bench", "scenario": Scenario.objects.get()}
    ended = JobFactory(**common, status=Job.Status.SUCCEEDED, finished_at=timezone.now(), results={"kpis": {"a": 1.0}})
    jobs = {"waits": JobFactory(**common), "has ended": ended}
    headers = {"Authorization": f"Bearer {key}"}
    taken: dict[tuple[int, str], list[float]] = {(clients, name): [] for clients in CLIENTS for name in jobs}
    used = dict.fromkeys(taken, 0.0)
    with product() as url:
        for _ in range(ROUNDS):
            for clients, name in taken:
                before = _web_cpu_s()
                ask = ("GET", f"/jobs/{jobs[name].pk}", "", 200)
                taken[clients, name] += load(url, headers, clients, SECONDS, ask)
                used[clients, name] += _web_cpu_s() - before
    return [
        {
            **{"the job": name, "clients": clients},
            **figures(each, ROUNDS * SECONDS),
            "CPU ms": 1000 * used[clients, name] / len(each),
        }
        for (clients, name), each in taken.items()
    ]


def _web_cpu_s() -> float:
    """Of all that this process has started but PostgreSQL."""
    below = [pid for pid in children(os.getpid()) if Path(f"/proc/{pid}/comm").read_text().strip() != "postgres"]
    for pid in below:
        below.extend(children(pid))
    return sum(map(cpu_s, below))
