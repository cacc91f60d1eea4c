"""Studies whose runs have ended, as rows: no passes are played."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.utils import timezone

from simulations.studies.models import Study, StudyRun
from tests.simulations.studies.conftest import body as body
from tests.simulations.studies.conftest import cluster as cluster
from tests.simulations.studies.conftest import statements as statements
from tests.simulations.studies.conftest import submit as submit

Ended = Callable[..., Study]


def figures_of(run: StudyRun) -> Mapping[str, Any]:
    """Chance by seed; 10 s longer in the lane variant, and 1 s for each 5 % of demand."""
    shared, own = random.Random(run.seed), random.Random(f"{run.seed} {run.cell.name}")
    more = 10.0 * (run.cell.variant == "lane") + 20 * (run.cell.point.get("scale", 1) - 1)
    return {
        "mean_travel_time_s": 100 + more + shared.gauss(0, 1) + own.gauss(0, 0.3),
        "mean_time_loss_s": 50 + own.gauss(0, 1),
        "vehicles_inserted": 1000, "vehicles_running_at_end": 3, "vehicles_waiting_at_end": 1, "teleports": 0,
    }  # fmt: skip


def end_all(study: Study, failed: int | None = None) -> None:
    """Its runs have all ended; those of the `failed` seed with OUT_OF_MEMORY."""
    runs = list(study.runs.select_related("cell"))
    for run in runs:
        run.status, run.finished_at, run.sumo_version = "SUCCEEDED", timezone.now(), "1.28.0"
        run.kpis = dict(figures_of(run))
        if run.seed == failed:
            run.status, run.kpis, run.reason, run.message = "FAILED", None, "OUT_OF_MEMORY", "Ask for more memory."
    StudyRun.objects.bulk_update(runs, ["status", "finished_at", "sumo_version", "kpis", "reason", "message"])
    study.turn("COMPLETE", reason="ALL_ENDED", message="All runs have ended.")


@pytest.fixture
def ended(submit: Callable[..., Study]) -> Ended:
    """A submitted study whose runs have all ended."""

    def ended(*, failed: int | None = None, **changes: Any) -> Study:
        study = submit(**changes)
        end_all(study, failed)
        return study

    return ended
