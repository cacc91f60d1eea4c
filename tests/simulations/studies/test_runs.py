"""How runs become jobs, and what becomes of a study: the reconciler's part, step by step."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from simulations.models import Job, Scenario
from simulations.studies.models import Study, StudyRun
from simulations.studies.services import run_submission
from tenants.models import Tenant
from tests.factories import JobFactory
from tests.simulations.studies.conftest import kpis_of, passes

pytestmark = pytest.mark.django_db


def submitted() -> list[tuple[str, int]]:
    """(cell, seed) of what are jobs now, in the dispatcher's order."""
    jobs = Job.objects.active().order_by("-priority", "submitted_at", "job_id")
    return [(job.labels["study.cell"], job.scenario_data["seed"]) for job in jobs]


def test_without_studies_a_pass_does_next_to_nothing(db: None, statements: list[str]) -> None:
    assert passes() == 0
    assert len(statements) == 2


def test_seed_major_within_the_slots(submit: Any, wide: Tenant) -> None:
    submit(seeds={"first": 1, "count": 10})
    assert passes() == 6  # of eight slots
    assert submitted() == [("today", 1), ("lane", 1), ("today", 2), ("lane", 2), ("today", 3), ("lane", 3)]
    assert passes() == 0


def test_a_run_is_an_ordinary_job(submit: Any, api: Any) -> None:
    study = submit()
    passes()
    job = Job.objects.get(labels__contains={"study.cell": "lane"})
    assert api.get(f"/jobs/{job.pk}").json()["labels"]["study.id"] == str(study.pk)
    assert job.scenario_data["seed"] == 1
    assert job.scenario_data["options"] == {"time-to-teleport": 120}
    assert (job.k8s_job_name, job.scenario.scenario_id) == (f"sim-{job.pk.hex}", "town")


def test_a_study_ends_when_all_have_ended(submit: Any, cluster: Any) -> None:
    study = submit()
    cluster.run()
    study.refresh_from_db()
    assert (study.status, study.reason, study.message) == ("COMPLETE", "ALL_ENDED", "6 of 6 runs succeeded.")
    assert study.finished_at is not None
    run = study.runs.first()
    assert (run.status, run.kpis, run.sumo_version) == ("SUCCEEDED", kpis_of(run.job), "1.28.0")
    assert run.wall_s == pytest.approx(60, abs=1)
    assert Job.objects.count() == 6


def test_single_jobs_come_first_but_from_two_slots_on_one_study_job_is_sure(
    submit: Any, tenant: Tenant, town: Scenario
) -> None:
    submit()
    single = JobFactory(tenant=tenant, scenario=town, priority=-100)
    passes()
    order = list(Job.objects.order_by("-priority", "submitted_at").values_list("pk", flat=True))
    assert order.index(single.pk) == 1
    assert len(order) == 3


def test_with_one_slot_single_jobs_come_first(submit: Any, tenant: Tenant, town: Scenario) -> None:
    tenant.change_limits(max_concurrent_jobs=1)
    submit()
    single = JobFactory(tenant=tenant, scenario=town, priority=-100)
    assert passes() == 1
    assert Job.objects.order_by("-priority", "submitted_at").first() == single


def test_the_sure_one_is_replaced_as_it_ends(submit: Any, wide: Tenant, cluster: Any) -> None:
    submit(seeds={"first": 1, "count": 10})
    passes()
    [sure] = Job.objects.filter(priority=run_submission.BEFORE_ALL)
    cluster.end(sure)
    passes()
    [sure] = Job.objects.active().filter(priority=run_submission.BEFORE_ALL)
    assert (sure.labels["study.cell"], sure.scenario_data["seed"]) == ("lane", 1)  # waited longest


def test_studies_take_turns(submit: Any, wide: Tenant, cluster: Any) -> None:
    first, second = submit(name="first"), submit(name="second", sweep={"scale": [1.5]})
    passes()
    owners = [job.labels["study.id"] for job in Job.objects.order_by("submitted_at")]
    assert owners == [str(first.pk), str(second.pk)] * 3


def test_max_parallel(submit: Any, wide: Tenant) -> None:
    submit(max_parallel=2)
    assert passes() == 2
    assert passes() == 0


def test_other_tenants_are_not_touched(submit: Any, wide: Tenant, other_tenant: Tenant, town: Scenario) -> None:
    submit()
    JobFactory(tenant=other_tenant, scenario=town)
    assert passes() == 6


@pytest.mark.parametrize("column", ["submissions_paused", "is_active"])
def test_a_tenant_that_may_not_submit(submit: Any, tenant: Tenant, column: str) -> None:
    submit()
    Tenant.objects.update(**{column: column == "submissions_paused"})
    assert passes() == 0


def test_a_run_made_before_is_reused_and_marked(submit: Any, wide: Tenant, cluster: Any) -> None:
    first = submit()
    cluster.run()
    second = submit(name="again", seeds={"first": 2, "count": 4})
    passes()
    assert Job.objects.active().count() == 4  # seeds 4 and 5
    cluster.run()
    second.refresh_from_db()
    reused = second.runs.filter(reused=True)
    assert {run.seed for run in reused} == {2, 3}
    assert {run.job_id for run in reused} <= {run.job_id for run in first.runs.all()}
    assert [run.kpis for run in reused.filter(seed=2)] == [run.kpis for run in first.runs.filter(seed=2)]


def test_another_runner_image_reuses_nothing(submit: Any, wide: Tenant, cluster: Any, settings: Any) -> None:
    submit()
    cluster.run()
    settings.RUNNER_IMAGE = "sumok8-runner:1.29.0"
    submit()
    assert passes() == 6


def test_failures_are_told_and_leave_no_figures(submit: Any, cluster: Any, api: Any) -> None:
    study = submit(max_failed_share=0.5)

    def fate(job: Job) -> Any:
        return "TIME_LIMIT" if job.scenario_data["seed"] == 2 and job.scenario_data["options"] else kpis_of(job)

    cluster.run(fate)
    told = api.get(f"/studies/{study.pk}").json()
    assert told["status"] == "COMPLETE"
    assert told["runs"] == {
        "planned": 0, "queued": 0, "running": 0, "succeeded": 5, "failed": 1, "excluded": 1, "cancelled": 0,
        "reused": 0, "total": 6,
    }  # fmt: skip
    [failure] = told["failures"]
    assert (failure["reason"], failure["cell"], failure["count"], failure["first_seed"]) == ("TIME_LIMIT", "lane", 1, 2)
    assert told["paired_seeds_complete"] == 2
    [run] = api.get(f"/studies/{study.pk}/runs?status=FAILED").json()["runs"]
    assert (run["seed"], run["cell"], run["reason"], run["kpis"]) == (2, "lane", "TIME_LIMIT", None)


def test_too_many_failures_make_it_incomplete(submit: Any, cluster: Any) -> None:
    study = submit()
    cluster.run(lambda job: "SUMO_FAILED" if job.scenario_data["options"] else kpis_of(job))
    study.refresh_from_db()
    assert (study.status, study.reason) == ("INCOMPLETE", "TOO_MANY_FAILED")


def test_a_job_that_vanished_is_made_again(submit: Any, cluster: Any) -> None:
    study = submit()
    passes()
    Job.objects.all().delete()
    cluster.run()
    study.refresh_from_db()
    assert study.status == "COMPLETE"


def test_one_tenants_trouble_does_not_stop_the_others(
    submit: Any, other_tenant: Tenant, town: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks for one tenant does not stop the others."""
    from contextlib import contextmanager

    study = submit()
    run = study.runs.first()
    copy = Study.objects.create(tenant=other_tenant, request=study.request, seeds=[1])
    cell = run.cell
    cell.pk, cell.study = None, copy
    cell.request = {}  # nothing can be made of it
    cell.save()
    StudyRun.objects.create(study=copy, cell=cell, seed=1, place=0)
    fell: list[str] = []

    @contextmanager
    def isolate(what: str) -> Any:
        try:
            yield
        except KeyError:
            fell.append(what)

    assert run_submission.submit_runs(timezone.now(), isolate) == 2
    assert fell == [f"studies of tenant {other_tenant.pk}"]


def test_progress_while_it_runs(submit: Any, wide: Tenant, cluster: Any, api: Any) -> None:
    study = submit(seeds={"first": 1, "count": 6})
    passes()
    for job in Job.objects.order_by("submitted_at")[:4]:
        cluster.end(job)
    passes()
    job = Job.objects.active().first()
    job.move_to("RUNNING", reason="RUNNING", message="", dispatched_at=timezone.now())
    told = api.get(f"/studies/{study.pk}").json()
    assert (told["runs"]["planned"], told["runs"]["queued"], told["runs"]["running"]) == (2, 5, 1)
    assert (told["runs"]["succeeded"], told["paired_seeds_complete"]) == (4, 2)
    assert told["cells"][0] == {"cell": "today", "variant": "today", "point": {}, "runs": 6, "done": 2, "failed": 0}
    assert told["eta_s"] == pytest.approx(7.5 * 60 / 6, abs=2)


def test_precision_extends_in_whole_rounds_until_it_is_reached(submit: Any, wide: Tenant, cluster: Any) -> None:
    study = submit(
        seeds={"first": 1, "count": 5},
        precision={"kpi": "mean_travel_time_s", "relative": 0.005, "max_seeds": 60},
    )
    cluster.run()
    study.refresh_from_db()
    assert (study.status, study.reason) == ("COMPLETE", "PRECISION_REACHED")
    assert 5 < len(study.seeds) < 60
    assert study.runs.count() == 2 * len(study.seeds)
    assert "slightly below nominal" in study.message


def test_precision_that_is_not_reached_says_so(submit: Any, wide: Tenant, cluster: Any) -> None:
    study = submit(
        seeds={"first": 1, "count": 5},
        precision={"kpi": "mean_travel_time_s", "relative": 0.0001, "max_seeds": 8},
    )
    cluster.run()
    study.refresh_from_db()
    assert (study.status, study.reason, len(study.seeds)) == ("COMPLETE", "PRECISION_NOT_REACHED", 8)
    assert "no more are allowed" in study.message


def test_precision_looks_from_five_seeds_on(submit: Any, wide: Tenant, cluster: Any) -> None:
    study = submit(
        seeds={"first": 1, "count": 2}, precision={"kpi": "mean_travel_time_s", "relative": 0.5, "max_seeds": 9}
    )
    cluster.run()
    study.refresh_from_db()
    assert (study.reason, len(study.seeds)) == ("PRECISION_REACHED", 5)


def test_a_pass_over_many_runs_takes_few_statements(submit: Any, tenant: Tenant, statements: list[str]) -> None:
    tenant.change_limits(max_concurrent_jobs=100, max_cpu=1000, max_memory_gi=1000)
    submit(seeds={"first": 1, "count": 100})
    statements.clear()
    assert passes() == 75
    assert len(statements) <= 18, len(statements)


def test_the_dispatchers_order_keeps_the_seed_order(submit: Any, wide: Tenant) -> None:
    submit(seeds=[9, 4, 7])
    passes()
    assert submitted() == [("today", 9), ("lane", 9), ("today", 4), ("lane", 4), ("today", 7), ("lane", 7)]
    gaps = list(Job.objects.order_by("submitted_at").values_list("submitted_at", flat=True))
    assert gaps[-1] - gaps[0] < timedelta(seconds=1)
