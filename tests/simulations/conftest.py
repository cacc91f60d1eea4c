import pytest
from rest_framework.test import APIClient

from simulations.models import Job, Scenario
from tests.simulations.scenarios import upload


@pytest.fixture
def town(api: APIClient) -> Scenario:
    """An uploaded scenario of `tenant`, named town."""
    answer = upload(api)
    assert answer.status_code == 201, answer.data
    return Scenario.objects.get()


@pytest.fixture
def job(api: APIClient, town: Scenario) -> Job:
    """A submitted job of `tenant`."""
    answer = api.post("/jobs", {"scenario_id": "town"}, format="json")
    assert answer.status_code == 201, answer.data
    return Job.objects.get()
