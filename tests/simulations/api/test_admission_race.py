"""Many submissions at the same moment, on real connections of real threads."""

from collections import Counter
from typing import Any

import pytest

from simulations.models import Job
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key
from tests.simulations.conftest import MANY
from tests.simulations.scenarios import upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key() -> str:
    key = issue_key(TenantFactory(tenant_id="city-a", max_concurrent_jobs=2, max_queued_jobs=5))
    assert upload(client_with(key)).status_code == 201
    return key


def test_never_one_too_many(key: str, at_once: Any) -> None:
    answers = at_once(lambda _: client_with(key).post("/jobs", {"scenario_id": "town"}, format="json"))
    assert Counter(answer.status_code for answer in answers) == {201: 7, 429: MANY - 7}
    assert sorted(Job.objects.values_list("admitted_as", flat=True)) == [1, 2, 3, 4, 5, 6, 7]


def test_one_idempotency_key_makes_one_job(key: str, at_once: Any) -> None:
    headers = {"Idempotency-Key": "the-same"}
    answers = at_once(lambda _: client_with(key).post("/jobs", {"scenario_id": "town"}, format="json", headers=headers))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: MANY - 1}
    assert len({answer.json()["job_id"] for answer in answers}) == 1


def test_deleting_the_scenario_meanwhile(key: str, at_once: Any) -> None:
    """Either the deletion wins and no job has the scenario, or a job wins and the deletion is refused."""

    def call(number: int) -> Any:
        client = client_with(key)
        if number == 0:
            return client.delete("/scenarios/town")
        return client.post("/jobs", {"scenario_id": "town"}, format="json")

    deletion, *submissions = at_once(call)
    outcomes = Counter(answer.status_code for answer in submissions)
    if deletion.status_code == 204:
        assert outcomes == {404: MANY - 1}
    else:
        assert deletion.status_code == 409
        assert outcomes == {201: 7, 429: MANY - 1 - 7}
    assert not Job.objects.filter(scenario=None).exists()
