"""The list of scenarios shows each picture once it is drawn, without a reload."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from simulations.models import Scenario, ScenarioProfile
from simulations.portal.scenarios import LOOKS
from simulations.services import profiles
from tenants.models import Tenant
from tests.factories import ScenarioFactory
from tests.simulations.portal.conftest import Who
from tests.simulations.scenarios import archive

ROWS = "/t/city-a/scenario-rows"
POLLS = "hx-get"


@pytest.fixture
def engineer(client_of: Who) -> Client:
    return client_of("engineer")


@pytest.fixture
def two(engineer: Client) -> list[str]:
    """Names of two uploads whose pictures nobody has asked for yet."""
    names = ["north", "south"]
    for name in names:
        file = SimpleUploadedFile("town.zip", archive())
        assert engineer.post("/t/city-a/upload", {"scenario_id": name, "file": file}).status_code == 302
    return names


def test_pictures_come_by_themselves_and_then_the_page_is_still(engineer: Client, two: list[str]) -> None:
    page = engineer.get("/t/city-a/scenarios").text
    assert f'{POLLS}="{ROWS}?page=1&amp;look=0"' in page
    assert page.count("&amp;early") == len(two)  # another address than the picture's own: nothing of it is kept
    answer = engineer.get(f"{ROWS}?page=1&look=0")
    assert answer.status_code == 286
    assert "early" not in answer.text
    assert POLLS not in answer.text
    assert ScenarioProfile.objects.count() == len(two)
    page = engineer.get("/t/city-a/scenarios").text
    assert POLLS not in page


def test_while_another_is_being_drawn_the_page_looks_again(engineer: Client, two: list[str]) -> None:
    with profiles._making:
        answer = engineer.get(f"{ROWS}?page=1&look=0")
    assert answer.status_code == 200
    assert f'{POLLS}="{ROWS}?page=1&amp;look=1"' in answer.text


@pytest.mark.parametrize("look", [str(LOOKS - 1), "999", "-1", "x", ""])
def test_what_cannot_be_drawn_is_not_asked_for_without_end(engineer: Client, tenant: Tenant, look: str) -> None:
    scenario: Scenario = ScenarioFactory(tenant=tenant, inspection={"begin": 0, "end": 100})  # its file is not there
    answer = engineer.get(f"{ROWS}?look={look}")
    assert answer.status_code == 286
    assert scenario.scenario_id in answer.text
    assert POLLS not in answer.text
