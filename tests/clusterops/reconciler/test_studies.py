"""A study through the real pass on the local cluster, beside single jobs."""

from typing import Any

import pytest

from simulations.models import Job
from simulations.studies.api.requests import StudyRequest, cells_of
from simulations.studies.models import Study
from simulations.studies.results import as_json, results_of
from simulations.studies.services import control
from simulations.studies.services.submission import create_study
from tenants.models import Tenant
from tests.clusterops.reconciler.conftest import Loop
from tests.factories import ScenarioFactory

pytestmark = pytest.mark.django_db(transaction=True)
INSPECTION = {
    "config": "run.sumocfg",
    "config_candidates": ["run.sumocfg"],
    "configs": {"run.sumocfg": {"problems": [], "begin": 0.0, "end": 3600.0, "step_length": 1.0}},
}


def study_of(tenant: Tenant, *fates: dict[str, Any], **changes: Any) -> Study:
    """A variant per fate, three seeds each."""
    ScenarioFactory(tenant=tenant, scenario_id="town", inspection=INSPECTION)
    asked = {
        "base": {"scenario_id": "town"},
        "variants": [{"name": f"v{number}"} for number in range(len(fates))],
        "seeds": [1, 2, 3],
        "max_failed_share": 0.6,
        **changes,
    }
    wanted = StudyRequest.read(asked)
    expansion = cells_of(wanted)
    for cell, fate in zip(expansion.cells, fates, strict=True):
        cell.body["options"] = fate
    return create_study(tenant=tenant, wanted=wanted, expansion=expansion)[0]


def figures(**kpis: float) -> dict[str, Any]:
    return {"report": {"kpis": kpis, "sumo_version": "1.28.0"}}


def ended(study: Study) -> bool:
    study.refresh_from_db()
    return not study.is_active


def test_runs_end_as_rows_of_the_study(city: Tenant, loop: Loop) -> None:
    study = study_of(city, figures(mean_time_loss_s=50.0), figures(mean_time_loss_s=60.0))
    loop.until(lambda: ended(study))
    assert (study.status, study.message) == ("COMPLETE", "6 of 6 runs succeeded.")
    told = as_json(results_of(study))
    [compared] = told["comparisons"]
    assert (compared["difference"], compared["n"], compared["direction"]) == (10.0, 3, "worse")
    assert told["sumo_versions"] == ["1.28.0"]
    assert Job.objects.filter(status="SUCCEEDED").count() == 6


def test_failures_are_excluded_and_retried(city: Tenant, loop: Loop) -> None:
    study = study_of(city, figures(mean_time_loss_s=50.0), {"outcome": "sumo_failed", "exit": 66})
    loop.until(lambda: ended(study))
    assert study.status == "COMPLETE"
    assert set(study.runs.filter(status="FAILED").values_list("reason", flat=True)) == {"SUMO_FAILED"}
    study.cells.filter(position=1).update(
        request={**study.cells.get(position=1).request, "options": figures(mean_time_loss_s=55.0)}
    )
    control.change(city, study.pk, control.retry)
    loop.until(lambda: ended(study))
    assert study.runs.filter(status="SUCCEEDED").count() == 6


def test_a_single_job_waits_for_no_study(city: Tenant, loop: Loop, submit: Any, tmp_path: Any) -> None:
    """All that studies may hold is held, for as long as the test wants: a single job still starts."""
    gate = tmp_path / "gate"
    study = study_of(city, {"hold": str(gate)}, {"hold": str(gate), "says": []}, {"hold": str(gate), "grace": 0})
    loop.until(lambda: Job.objects.filter(status="RUNNING").count() == 4)  # of five slots
    single = submit()
    loop.until_ended(single)
    assert single.status == "SUCCEEDED"
    assert Job.objects.filter(status="RUNNING").count() == 4
    gate.touch()
    loop.until(lambda: ended(study))
    assert study.runs.filter(status="SUCCEEDED").count() == 9


def test_cancel_ends_what_runs(city: Tenant, loop: Loop, tmp_path: Any) -> None:
    study = study_of(city, {"hold": str(tmp_path / "never")})
    loop.until(lambda: Job.objects.filter(status="RUNNING").exists())
    control.change(city, study.pk, control.cancel)
    loop.until(lambda: not Job.objects.active().exists() and not study.runs.filter(status="SUBMITTED").exists())
    assert set(study.runs.values_list("status", flat=True)) == {"CANCELLED"}
