"""Uploads and deletions at the same moment, on real connections of real threads."""

from typing import Any

import pytest

from simulations import files
from simulations.models import Scenario
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key
from tests.simulations.conftest import MANY
from tests.simulations.scenarios import archive, upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key() -> str:
    return issue_key(TenantFactory(tenant_id="city-a"))


def test_versions_of_one_name_are_consecutive(key: str, at_once: Any) -> None:
    answers = at_once(lambda number: upload(client_with(key), "town", archive(note=str(number))))
    assert sorted(answer.json()["version"] for answer in answers) == list(range(1, MANY + 1))


def test_the_same_bytes_are_one_version(key: str, at_once: Any) -> None:
    answers = at_once(lambda _: upload(client_with(key)))
    assert sorted(answer.status_code for answer in answers) == [200] * (MANY - 1) + [201]


def test_content_is_there_as_long_as_a_row_needs_it(key: str, at_once: Any) -> None:
    def come_and_go(number: int) -> None:
        client = client_with(key)
        assert upload(client, f"town{number}").status_code == 201
        if number % 2:
            assert client.delete(f"/scenarios/town{number}").status_code == 204

    at_once(come_and_go)
    rows = list(Scenario.objects.all())
    assert len(rows) == MANY // 2
    assert all(files.has(str(row.file), row.size_bytes) for row in rows)
