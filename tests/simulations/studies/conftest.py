"""Studies of an uploaded scenario, and a stand-in for the cluster that ends jobs as a test wants."""

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from simulations.models import Job, Scenario
from simulations.studies.models import Study
from simulations.studies.services.run_submission import submit_runs
from tenants.models import Tenant

Ending = Callable[[Job], Mapping[str, Any] | str]


@pytest.fixture
def body(town: Scenario) -> dict[str, Any]:
    """A small POST /studies: two variants, three seeds."""
    return {
        "name": "bus lane",
        "base": {"scenario_id": "town", "end": 100},
        "variants": [{"name": "today"}, {"name": "lane", "options": {"time-to-teleport": 120}}],
        "seeds": {"first": 1, "count": 3},
        "primary_kpis": ["mean_travel_time_s"],
    }


@pytest.fixture
def submit(api: Any, body: dict[str, Any]) -> Callable[..., Study]:
    """POST /studies; changes to `body` as keywords."""

    def _submit(**changes: Any) -> Study:
        answer = api.post("/studies", body | changes, format="json")
        assert answer.status_code == 201, answer.json()
        return Study.objects.get(pk=answer.json()["study_id"])

    return _submit


def kpis_of(job: Job) -> dict[str, Any]:
    """Figures that depend on the seed and a little on what was asked."""
    chance = random.Random(f"{job.scenario_data['seed']} {job.scenario_data['options']} {job.scenario_data['scale']}")
    shift = 10.0 if job.scenario_data["options"] else 0.0
    return {
        "mean_travel_time_s": round(100 + shift + random.Random(job.scenario_data["seed"]).gauss(0, 1)
                                    + chance.gauss(0, 0.3), 2),
        "mean_time_loss_s": round(50 + chance.gauss(0, 1), 2),
        "vehicles_inserted": 1000, "vehicles_running_at_end": 3, "vehicles_waiting_at_end": 1, "teleports": 0,
    }  # fmt: skip


class Cluster:
    """Ends jobs; `fates` say how: figures, or the reason of a failure."""

    def end(self, job: Job, fate: Ending = kpis_of) -> None:
        now, told = timezone.now(), fate(job)
        started = now - timedelta(seconds=60)
        job.dispatched_at = job.dispatched_at or started
        job.save()
        if isinstance(told, str):
            job.move_to("FAILED", reason=told, message="It failed.", finished_at=now, started_at=started)
            return
        results = {"outcome": "succeeded", "complete": True, "kpis": dict(told), "sumo_version": "1.28.0",
                   "sim_begin": 0.0, "sim_end": 100.0, "wall_s": 59.0}  # fmt: skip
        job.move_to("SUCCEEDED", reason="COMPLETED", message="Done.", results=results, started_at=started,
                    finished_at=now)  # fmt: skip

    def end_all(self, fate: Ending = kpis_of) -> int:
        jobs = list(Job.objects.active())
        for job in jobs:
            self.end(job, fate)
        return len(jobs)

    def run(self, fate: Ending = kpis_of) -> None:
        """Pass after pass until no study has anything left."""
        for _ in range(1000):
            submit_runs(timezone.now())
            if not self.end_all(fate) and not Study.objects.filter(status="RUNNING").exists():
                return
        pytest.fail("the studies do not end")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def wide(tenant: Tenant) -> Tenant:
    """`tenant` with eight slots, of which studies may hold six."""
    tenant.change_limits(max_concurrent_jobs=8, max_cpu=100, max_memory_gi=100)
    return tenant


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """SQL statements run in the test, savepoints of its own transaction left out."""
    seen: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        if "SAVEPOINT" not in sql:
            seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield seen


def passes() -> int:
    return submit_runs(timezone.now())
