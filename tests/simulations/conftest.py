import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from rest_framework.test import APIClient

from simulations.models import Job, Scenario
from tests.simulations.scenarios import upload

MANY = 50


@pytest.fixture
def at_once() -> Iterator[Callable[[Callable[[int], Any]], list[Any]]]:
    """Run a call 50 times, each in a thread of its own, all let go together. Needs a transactional database."""
    barrier = threading.Barrier(MANY)

    def run(call: Callable[[int], Any], number: int) -> Any:
        barrier.wait(30)
        try:
            return call(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(MANY) as threads:
        yield lambda call: list(threads.map(lambda number: run(call, number), range(MANY)))


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
