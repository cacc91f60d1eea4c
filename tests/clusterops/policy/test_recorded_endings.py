"""A real cluster's deletions, evictions and losses, looked at in any two moments: every pair of looks tells one end."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from clusterops.contract import Run
from clusterops.policy.decide import decide
from clusterops.readings import jobs as job_readings
from simulations.models import Job

RECORDINGS = Path(__file__).parents[1] / "recordings"


def states(case: str) -> list[tuple[datetime, Run | None]]:
    """What a pass finds after each change since the pod's container ran, if it looks just then."""
    objects: dict[tuple[str, str], Any] = {}
    found: list[tuple[datetime, Run | None]] = []
    for line in (RECORDINGS / case / "timeline.jsonl").read_text().splitlines():
        change = json.loads(line)
        if change["kind"] not in ("job", "pod"):
            continue
        key = change["kind"], change["object"]["metadata"]["name"]
        if change["type"] == "DELETED":
            objects.pop(key)
        else:
            objects[key] = change["object"]
        jobs, pods = ([each for (of, _), each in objects.items() if of == kind] for kind in ("job", "pod"))
        [run] = job_readings.runs(jobs, pods, {}) or [None]
        at = datetime.fromtimestamp(change["t"], UTC)
        if found or (run is not None and run.started_at):
            found.append((at, run))
    return found


def ends(case: str) -> Iterator[Job]:
    """The job after two looks anywhere on the way and one a second after the last change."""
    way = states(case)
    for first, second in combinations(range(len(way)), 2):
        start = way[0][0]
        job = Job(status="RUNNING", reason="RUNNING", dispatched_at=start, submitted_at=start, observed_at=start)
        job.k8s_job_name = "sim"
        last = (way[-1][0] + timedelta(seconds=1), way[-1][1])
        for at, run in (way[first], way[second], last):
            if decision := decide(job, run, at):
                assert ("starts again" in decision.message) == (decision.columns.get("attempt") == job.attempt + 1)
                for name, value in {**decision.columns, "status": decision.status, "reason": decision.reason}.items():
                    setattr(job, name, value)
                job.observed_at = at
        yield job


@pytest.mark.parametrize("case", ["pod-deleted-directly", "delete-background", "delete-foreground"])
def test_a_deletion_by_another_hand(case: str) -> None:
    assert {(job.status, job.reason, job.attempt) for job in ends(case)} == {("FAILED", "DELETED_EXTERNALLY", 1)}


@pytest.mark.parametrize("case", ["drained-eviction", "node-lost-node-deleted"])
def test_the_clusters_own_doing_ends_nothing(case: str) -> None:
    assert {(job.status, job.reason, job.attempt) for job in ends(case)} == {("RUNNING", "RUNNING", 1)}


def test_a_preempted_pod_waits_for_its_replacements_machine() -> None:
    assert {(job.status, job.reason, job.attempt) for job in ends("preempted")} == {("RUNNING", "WAITING_FOR_NODE", 1)}
