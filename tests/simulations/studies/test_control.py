"""Pause, resume, cancel, retry, extend: each may be repeated without harm."""

from typing import Any

import pytest

from simulations.models import Job
from simulations.studies.models import Study
from tests.simulations.studies.conftest import kpis_of, passes

pytestmark = pytest.mark.django_db


def act(api: Any, study: Study, what: str, body: Any = None, **headers: str) -> Any:
    return api.post(f"/studies/{study.pk}/{what}", body, format="json", headers=headers)


def fails_once(seed: int) -> Any:
    return lambda job: "NODE_LOST" if job.scenario_data["seed"] == seed else kpis_of(job)


def test_a_paused_study_starts_nothing_and_goes_on(api: Any, submit: Any, cluster: Any) -> None:
    study = submit()
    passes()
    for _ in range(2):
        assert act(api, study, "pause").json()["status"] == "PAUSED"
    cluster.end_all()
    assert passes() == 0
    assert api.get(f"/studies/{study.pk}").json()["runs"]["succeeded"] == 2
    for _ in range(2):
        assert act(api, study, "resume").json()["status"] == "RUNNING"
    cluster.run()
    study.refresh_from_db()
    assert study.status == "COMPLETE"


def test_cancel_drops_what_waits_and_ends_what_runs(api: Any, submit: Any, cluster: Any) -> None:
    study = submit()
    passes()
    cluster.end(Job.objects.order_by("submitted_at")[0])
    for _ in range(2):
        answer = act(api, study, "cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "CANCELLED")
    assert Job.objects.active().filter(cancel_requested_at__isnull=True).count() == 0
    assert passes() == 0
    job = Job.objects.active().get()
    job.move_to("CANCELLED", reason="CANCELLED", message="Cancelled on request.")
    passes()
    told = api.get(f"/studies/{study.pk}").json()
    assert (told["runs"]["succeeded"], told["runs"]["cancelled"], told["runs"]["planned"]) == (1, 5, 0)
    for what in ("pause", "resume", "retry"):
        assert act(api, study, what).json()["error"]["code"] == "study.state"
    assert act(api, study, "extend", {"seeds": 1}).status_code == 409


def test_retry_runs_the_failed_again_with_the_same_seeds(api: Any, submit: Any, cluster: Any) -> None:
    study = submit(max_failed_share=1)
    cluster.run(fails_once(2))
    answer = act(api, study, "retry").json()
    assert (answer["retried"], answer["status"], answer["runs"]["planned"]) == (2, "RUNNING", 2)
    assert act(api, study, "retry").json()["retried"] == 0
    cluster.run()
    told = api.get(f"/studies/{study.pk}").json()
    assert (told["status"], told["runs"]["succeeded"], told["runs"]["failed"]) == ("COMPLETE", 6, 0)
    assert sorted(study.runs.values_list("seed", "tries")) == [(1, 1), (1, 1), (2, 2), (2, 2), (3, 1), (3, 1)]


def test_retry_with_nothing_failed_changes_nothing(api: Any, submit: Any, cluster: Any) -> None:
    study = submit()
    cluster.run()
    answer = act(api, study, "retry").json()
    assert (answer["retried"], answer["status"]) == (0, "COMPLETE")


def test_extend_adds_seeds_once_per_key(api: Any, submit: Any, cluster: Any) -> None:
    study = submit()
    cluster.run()
    for added in (2, 0):
        answer = act(api, study, "extend", {"seeds": 2}, **{"Idempotency-Key": "more"}).json()
        assert (answer["added"], answer["seeds"], answer["status"]) == (added, [1, 2, 3, 4, 5], "RUNNING")
    assert act(api, study, "extend", {"seeds_total": 5}).json()["added"] == 0
    assert act(api, study, "extend", {"seeds_total": 6}).json()["added"] == 1
    cluster.run()
    told = api.get(f"/studies/{study.pk}").json()
    assert (told["status"], told["runs"]["succeeded"], told["paired_seeds_complete"]) == ("COMPLETE", 12, 6)


def test_extend_of_a_paused_study_leaves_it_paused(api: Any, submit: Any) -> None:
    study = submit()
    act(api, study, "pause")
    answer = act(api, study, "extend", {"seeds": 1}).json()
    assert (answer["status"], answer["runs"]["planned"]) == ("PAUSED", 8)


@pytest.mark.parametrize("asked", [{}, {"seeds": 1, "seeds_total": 9}, {"seeds": 0}, {"seeds": "2"}, {"more": 2}])
def test_extend_wants_one_number(api: Any, submit: Any, asked: dict[str, Any]) -> None:
    assert act(api, submit(), "extend", asked).status_code == 400


def test_extend_has_a_bound(api: Any, submit: Any, settings: Any) -> None:
    study = submit()
    assert act(api, study, "extend", {"seeds": 98}).status_code == 422
    settings.STUDY_MAX_RUNS = 10
    assert act(api, study, "extend", {"seeds": 3}).status_code == 422
    assert act(api, study, "extend", {"seeds": 2}).status_code == 200


def test_ended_studies_are_not_paused_or_cancelled(api: Any, submit: Any, cluster: Any) -> None:
    study = submit()
    cluster.run()
    for what in ("pause", "resume", "cancel"):
        assert act(api, study, what).status_code == 409
