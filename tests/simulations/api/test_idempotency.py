"""POST /jobs with an Idempotency-Key: the same request gives the same job."""

from typing import Any

import pytest

from simulations.models import Job, Scenario
from tests.simulations.scenarios import upload

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "k"}


def test_same_body_same_job(api: Any, town: Scenario) -> None:
    first = api.post("/jobs", {"scenario_id": "town", "seed": 1}, format="json", headers=KEY)
    again = api.post(
        "/jobs", '{"seed":1,  "scenario_id":"town"}', content_type="application/json",
        headers=KEY,
    )  # fmt: skip
    assert (first.status_code, again.status_code) == (201, 200)
    assert again["Idempotent-Replayed"] == "true"
    assert again.json()["job_id"] == first.json()["job_id"]
    assert again["Location"] == first["Location"]


@pytest.mark.parametrize(
    "spelled_out",
    [
        {"outputs": ["tripinfo"]},
        {"cpu_request": 1},
        {"seed": None},
        {"end": 3600},
        {"options": {}, "outputs": [], "labels": {}},
    ],
    ids=str,
)
def test_a_default_spelled_out_is_the_same_request(api: Any, town: Scenario, spelled_out: Any) -> None:
    body = {"scenario_id": "town"} | ({"end": 3600.0} if "end" in spelled_out else {})
    first = api.post("/jobs", body, format="json", headers=KEY)
    again = api.post("/jobs", body | spelled_out, format="json", headers=KEY)
    assert (again.status_code, again.json()["job_id"]) == (200, first.json()["job_id"])


def test_another_body(api: Any, town: Scenario) -> None:
    api.post("/jobs", {"scenario_id": "town"}, format="json", headers=KEY)
    answer = api.post("/jobs", {"scenario_id": "town", "seed": 1}, format="json", headers=KEY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency.mismatch")
    assert Job.objects.count() == 1


def test_a_full_queue_or_a_pause_does_not_hide_the_first_job(api: Any, town: Scenario, tenant: Any) -> None:
    tenant.max_concurrent_jobs, tenant.max_queued_jobs = 1, 0
    tenant.save()
    body = {"scenario_id": "town"}
    first = api.post("/jobs", body, format="json", headers=KEY)
    assert api.post("/jobs", body, format="json", headers=KEY).json() == first.json()
    tenant.submissions_paused = True
    tenant.save()
    assert api.post("/jobs", body, format="json", headers=KEY).json() == first.json()


def test_keys_of_two_tenants_do_not_meet(api: Any, other_api: Any, town: Scenario) -> None:
    upload(other_api, "town")
    answers = [each.post("/jobs", {"scenario_id": "town"}, format="json", headers=KEY) for each in (api, other_api)]
    assert [answer.status_code for answer in answers] == [201, 201]


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
def test_bad_keys(api: Any, key: str) -> None:
    answer = api.post("/jobs", {"scenario_id": "town"}, format="json", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "idempotency.bad_key")
