"""POST /scenarios/{id}/versions: only what differs from a version is sent."""

import io
import zipfile
from typing import Any

import pytest

from simulations.models import Scenario
from tests.simulations.scenarios import ROUTES, archive, upload

pytestmark = pytest.mark.django_db
TWO = ROUTES.replace("</routes>", '<vehicle id="w" depart="1"><route edges="a"/></vehicle></routes>')


def changes(**files: str) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, text in files.items():
            packed.writestr(zipfile.ZipInfo(name.replace("__", ".")), text)
    buffer.seek(0)
    buffer.name = "changes.zip"
    return buffer


def lay_over(api: Any, scenario_id: str = "town", **form: Any) -> Any:
    return api.post(f"/scenarios/{scenario_id}/versions", form, format="multipart")


def test_a_changed_demand_is_the_next_version(api: Any, town: Scenario) -> None:
    answer = lay_over(api, file=changes(demand__rou__xml=TWO))
    assert answer.status_code == 201, answer.json()
    assert answer["Location"] == "/scenarios/town?version=2"
    assert answer.json()["config"] == town.config
    with zipfile.ZipFile(io.BytesIO(b"".join(api.get("/scenarios/town/archive")))) as packed:
        assert packed.read("demand.rou.xml").decode() == TWO
        assert len(packed.namelist()) == 3


def test_the_same_content_is_the_version_that_there_is(api: Any, town: Scenario) -> None:
    first = lay_over(api, file=changes(demand__rou__xml=TWO)).json()
    upload(api, "town", archive(note="third"))
    again = lay_over(api, base_version=1, file=changes(demand__rou__xml=TWO))
    assert (again.status_code, again.json()["version"]) == (200, first["version"])
    back = lay_over(api, base_version=2, file=changes(demand__rou__xml=TWO))
    assert (back.status_code, back.json()["version"]) == (200, 2)
    assert Scenario.objects.count() == 3


def test_under_another_name_nothing_is_stored_twice(api: Any, town: Scenario) -> None:
    answer = lay_over(api, save_as="lane", file=changes(readme__txt="x"))
    assert (answer.json()["scenario_id"], answer.json()["version"]) == ("lane", 1)
    bare = lay_over(api, "lane", save_as="town", remove="readme.txt")
    assert bare.status_code == 201
    again = lay_over(api, save_as="bare", base_version=bare.json()["version"], file=changes(net__net__xml=""))
    assert again.status_code == 422
    copied = lay_over(api, save_as="copy", base_version=1, file=changes(demand__rou__xml=ROUTES + "<!--  -->"))
    assert copied.json()["sha256"] == town.sha256
    assert {each.sha256: str(each.file) for each in Scenario.objects.all()}[town.sha256] == str(town.file)


def test_it_is_checked_like_an_upload(api: Any, town: Scenario) -> None:
    gone = lay_over(api, remove="demand.rou.xml\nnothing.xml")
    assert [each["code"] for each in gone.json()["error"]["details"]] == ["overlay.not_there"]
    missing = lay_over(api, remove="demand.rou.xml")
    assert (missing.status_code, missing.json()["error"]["details"][0]["code"]) == (422, "input.missing")
    no_zip = io.BytesIO(b"no zip")
    no_zip.name = "x.zip"
    assert lay_over(api, file=no_zip).json()["error"]["details"][0]["code"] == "zip.unreadable"
    assert lay_over(api, file=changes(**{"a": "x"}), config="other.sumocfg").status_code == 422
    other_case = lay_over(api, file=changes(Demand__rou__xml=TWO))
    assert (other_case.status_code, other_case.json()["error"]["details"][0]["code"]) == (422, "overlay.case")
    for nothing, status in (({}, 400), ({"file": changes()}, 422)):
        answer = lay_over(api, **nothing)
        assert (answer.status_code, answer.json()["error"]["details"][0]["code"]) == (status, "overlay.empty")
    assert Scenario.objects.count() == 1


def test_only_what_is_visible_is_a_base(api: Any, other_api: Any, town: Scenario) -> None:
    assert lay_over(other_api, remove="x").status_code == 404
    assert lay_over(api, base_version=9, remove="x").status_code == 404
    Scenario.objects.update(tenant=None)
    shared = lay_over(other_api, file=changes(demand__rou__xml=TWO))
    assert (shared.status_code, shared.json()["shared"], shared.json()["version"]) == (201, False, 1)


def test_a_study_of_two_versions(api: Any, town: Scenario) -> None:
    lay_over(api, file=changes(demand__rou__xml=TWO))
    body = {
        "base": {"scenario_id": "town", "scenario_version": 1},
        "variants": [{"name": "today"}, {"name": "two", "scenario_version": 2}],
        "seeds": {"count": 2},
    }
    answer = api.post("/studies?dry_run=1", body, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["runs_total"] == 4
