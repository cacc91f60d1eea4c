"""Studies: how long a request, the answers and the exports take as one grows, and what single jobs wait beside it.

Each of the first is asked once warm and then ROUNDS times, in this process through the whole application; told is the
median.
"""

import json
import random
import time
from array import array
from collections.abc import Callable
from typing import Any

from benchmarks.cluster import submit, until
from benchmarks.rows import fresh_tenant
from benchmarks.stub_cluster import ask, kubeconfig_to
from benchmarks.submission import queries_of
from benchmarks.tables import percentile
from benchmarks.throughput import reconciler

SIZES = ((5, 10), (10, 50), (50, 100))  # cells and seeds
ROUNDS = 5
SLOTS = (1, 2, 8)
LASTS_S = 1.0
WATCHED, EVERY_S = 12, 1.3
EDGES, INTERVALS = 10_000, 6


def measure() -> list[dict[str, Any]]:
    """A row per size."""
    from django.test import override_settings

    rows = []
    for cells, seeds in SIZES:
        with override_settings(STUDY_MAX_RUNS=cells * seeds):
            rows.append(_one_size(cells, seeds))
    return rows


def _one_size(cells: int, seeds: int) -> dict[str, Any]:
    from django.test import Client

    key = fresh_tenant()
    client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})
    body = json.dumps(request(cells, seeds))

    def create() -> str:
        answer = client.post("/studies", body, content_type="application/json")
        if answer.status_code != 201:
            raise RuntimeError(f"{answer.status_code} {answer.content[:300]!r}")
        return str(answer.json()["study_id"])

    def asked(path: str) -> Callable[[], Any]:
        def fetch() -> int:
            answer = client.get(f"/studies/{study}{path}")
            parts = answer.streaming_content if answer.streaming else [answer.content]  # type: ignore[attr-defined]
            return sum(map(len, parts))

        return fetch

    study = create()
    row: dict[str, Any] = {"cells": cells, "runs": cells * seeds, "SQL of POST": queries_of(create)}
    row["POST ms"] = _median(create, rounds=3)
    end_all(study)
    row["statistics CPU ms"] = _median(_statistics(study), clock=time.process_time)
    row["summary CPU ms"] = _median(_anew(asked("/summary")), clock=time.process_time)
    for path, name in (("", "status"), ("/summary", "kept"), ("/runs.csv", "runs.csv"), ("/archive.zip", "zip")):
        row[f"{name} ms"] = _median(asked(path))
    return row


def _anew(call: Callable[[], Any]) -> Callable[[], Any]:
    """A summary as it is after a run has ended: nothing is kept."""
    from simulations.studies.results import found_of

    def fetch() -> Any:
        found_of.cache_clear()
        return call()

    return fetch


def request(cells: int, seeds: int) -> dict[str, Any]:
    variants = [{"name": f"v{n}", "options": {"time-to-teleport": 100 + n}} for n in range(cells)]
    return {"base": {"scenario_id": "zurich_peak"}, "variants": variants, "seeds": {"first": 1, "count": seeds}}


def _median(call: Callable[[], Any], rounds: int = ROUNDS, clock: Callable[[], float] = time.perf_counter) -> float:
    """Milliseconds, after one call that warms it."""
    call()
    took = []
    for _ in range(rounds):
        began = clock()
        call()
        took.append((clock() - began) * 1000)
    return percentile(took, 0.5)


def end_all(study_id: str) -> None:
    """All runs succeeded, with a value for each figure."""
    from django.utils import timezone

    from simulations.studies.kpis import FIGURES
    from simulations.studies.models import StudyRun

    chance = random.Random(study_id)
    runs = list(StudyRun.objects.filter(study=study_id))
    for run in runs:
        run.status, run.reason, run.sumo_version = StudyRun.Status.SUCCEEDED, "COMPLETED", "1.28.0"
        run.kpis = {name: round(chance.gauss(100, 3), 2) for name in FIGURES}
        run.finished_at = timezone.now()
    StudyRun.objects.bulk_update(runs, ["status", "reason", "sumo_version", "kpis", "finished_at"], batch_size=500)


def _statistics(study_id: str) -> Callable[[], Any]:
    """The pure part of a summary."""
    from simulations.studies.kpis import FIGURES
    from simulations.studies.models import Study
    from simulations.studies.results import results_of
    from simulations.studies.statistics.summary import summarise

    results = results_of(Study.objects.get(pk=study_id))
    return lambda: summarise(results.plain_cells, list(FIGURES.values()), results.question)


def measure_edges() -> list[dict[str, Any]]:
    """A run's traffic per edge into the sums of its cell and of one pair, and the test of all edges."""
    from simulations.edges import sums
    from simulations.sumo.protocol.edge_file import COLUMNS, EdgeFile

    rows = []
    for edges in (EDGES // 10, EDGES):
        chance = random.Random(edges)
        values = edges * INTERVALS * len(COLUMNS)
        flat = array("f", [100.0]) * edges
        intervals = [(900.0 * n, 900.0 * (n + 1)) for n in range(INTERVALS)]
        first, second = (
            EdgeFile("", intervals, COLUMNS, flat, flat, array("f", [chance.random() for _ in range(values)]).tobytes())
            for _ in range(2)
        )
        kept = array("f", first.data)
        places = range(edges)
        pairs = sums.with_pair(array("f"), first, second, places, sums.TESTED)
        sums.with_pair(pairs, second, first, places, sums.TESTED)
        rows.append(
            {
                "edges": edges,
                "intervals": INTERVALS,
                "sum ms": _median(lambda kept=kept, first=first: sums.added(kept, first)),
                "pair ms": _median(
                    lambda pairs=pairs, a=first, b=second, p=places: sums.with_pair(pairs[:], a, b, p, sums.TESTED)
                ),
                "test ms": _median(
                    lambda pairs=pairs, n=edges: sums.significant(pairs, n, sums.TESTED, sums.TIME_LOSS)
                ),
            }
        )
    return rows


def measure_waiting() -> list[dict[str, Any]]:
    """Submitted → Job exists of single jobs, one at a time, with an empty queue and beside a study of 500 runs."""
    from django.test import Client

    from simulations.models import Job
    from tenants.models import Tenant

    rows = []
    for slots in SLOTS:
        for runs in (0, 500):
            key = fresh_tenant()
            Tenant.objects.update(max_concurrent_jobs=slots)
            if runs:
                client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})
                body = json.dumps(request(10, runs // 10))
                assert client.post("/studies", body, content_type="application/json").status_code == 201
            with kubeconfig_to([], lasts_s=LASTS_S) as (path, server), reconciler(str(path), 0):
                submit(1)  # the tenant's namespace is made for the first job
                until(lambda: Job.objects.filter(finished_at__isnull=False).exists())
                made = []
                for _ in range(WATCHED):
                    made += submit(1)
                    names = {job.pk.hex for job in made}
                    until(lambda names=names, server=server: names <= ask(server, "times")[0].keys())
                    time.sleep(EVERY_S)
                created, _ = ask(server, "times")
            waits = [created[job.pk.hex] - job.submitted_at.timestamp() for job in made]
            shares = {f"p{share} s": percentile(waits, share / 100) for share in (50, 95)}
            others = len(created) - WATCHED - 1
            rows.append(
                {"slots": slots, "study": runs, "a run s": LASTS_S, **shares, "most s": max(waits), "study's": others}
            )
    return rows
