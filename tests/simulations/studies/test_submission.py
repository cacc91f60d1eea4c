"""POST /studies."""

from typing import Any

import pytest

from simulations.api.requests import SubmitRequest
from simulations.models import Job, Scenario
from simulations.studies.models import Cell, Study, StudyRun
from tenants.models import Tenant
from tests.simulations.scenarios import archive, upload

pytestmark = pytest.mark.django_db


def post(api: Any, body: dict[str, Any], address: str = "/studies", **headers: str) -> Any:
    return api.post(address, body, format="json", headers=headers)


def codes(answer: Any) -> set[tuple[str, str]]:
    return {(entry["code"], entry.get("where", "")) for entry in answer.json()["error"]["details"]}


def test_a_study_is_rows_and_no_jobs(api: Any, body: dict[str, Any]) -> None:
    answer = post(api, body)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["status"], told["cells"], told["runs_total"]) == ("RUNNING", 2, 6)
    assert answer["Location"] == told["links"]["self"] == f"/studies/{told['study_id']}"
    assert Job.objects.count() == 0
    order = StudyRun.objects.order_by("place").values_list("seed", "cell__name")
    assert list(order) == [(1, "today"), (1, "lane"), (2, "today"), (2, "lane"), (3, "today"), (3, "lane")]


def test_versions_are_pinned(api: Any, body: dict[str, Any], town: Scenario) -> None:
    post(api, body)
    upload(api, "town", archive(note="newer"))
    assert {cell.request["scenario_version"] for cell in Cell.objects.all()} == {1}
    assert {cell.request["sha256"] for cell in Cell.objects.all()} == {town.sha256}


def test_only_a_base_is_needed(api: Any, town: Scenario) -> None:
    told = post(api, {"base": {"scenario_id": "town"}}).json()
    assert (told["cells"], told["runs_total"], told["seeds"]) == (1, 10, list(range(1, 11)))


def test_everything_wrong_in_every_cell_at_once(api: Any, body: dict[str, Any], wide: Tenant) -> None:
    body["base"] |= {"memory_gi": 500, "outputs": ["nonsense"]}
    body["variants"] = [
        {"name": "today", "options": {"gui-settings-file": 1}},
        {"name": "lane", "scenario_id": "nowhere", "outputs": []},
        {"name": "short", "outputs": [], "begin": 50, "end": 20},
    ]
    answer = post(api, body)
    assert answer.status_code == 422
    assert codes(answer) >= {("output.unknown", "outputs[0]"), ("scenario.not_found", "scenario_id")}
    assert any(code.startswith("option.") and "gui-settings-file" in where for code, where in codes(answer))
    assert any(where == "end" for _, where in codes(answer))
    assert Study.objects.count() == 0


def test_one_reason_in_many_cells_is_told_once(api: Any, body: dict[str, Any]) -> None:
    body["base"]["memory_gi"] = 500
    [entry] = post(api, body).json()["error"]["details"]
    assert (entry["code"], entry["where"], entry["cells"]) == ("limits.exceeded", "memory_gi", ["today", "lane"])


@pytest.mark.parametrize(
    "changes, where",
    [
        ({"name": "a\nb"}, "name"),
        ({"seeds": {"first": 1, "count": 0}}, "seeds"),
        ({"seeds": {"first": 1, "count": 101}}, "seeds"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": [-1]}, "seeds"),
        ({"seeds": {"first": 2**31 - 2, "count": 5}}, "seeds"),
        ({"seeds": {"from": 1}}, "seeds"),
        ({"seeds": [True]}, "seeds"),
        ({"primary_kpis": ["beauty"]}, "primary_kpis[0]"),
        ({"primary_kpis": ["teleports", "teleports"]}, "primary_kpis"),
        ({"relevant_difference": 0}, "relevant_difference"),
        ({"precision": {"kpi": "mean_speed_ms"}}, "precision.relative"),
        ({"precision": {"kpi": "mean_speed_ms", "relative": 0.05, "absolute": 1}}, "precision.relative"),
        ({"sweep": {"scale": []}}, "sweep.scale"),
        ({"sweep": {"scale": [[1]]}}, "sweep.scale[0]"),
        ({"window": {"begin": 900}}, "window.end"),
        ({"max_parallel": 0}, "max_parallel"),
        ({"base": []}, "base"),
    ],
)
def test_bad_fields(api: Any, body: dict[str, Any], changes: dict[str, Any], where: str) -> None:
    answer = post(api, body | changes)
    assert answer.status_code == 400
    assert where in {entry.get("where") for entry in answer.json()["error"]["details"]}


def test_too_many_runs(api: Any, body: dict[str, Any], settings: Any) -> None:
    settings.STUDY_MAX_RUNS = 5
    answer = post(api, body)
    assert (answer.status_code, codes(answer)) == (422, {("study.too_many_runs", "seeds")})


def test_a_body_has_a_bound(api: Any, body: dict[str, Any]) -> None:
    assert post(api, body | {"name": "x" * 300_000}).status_code == 413


def test_ten_studies_may_be_active(api: Any, body: dict[str, Any]) -> None:
    for _ in range(10):
        assert post(api, body).status_code == 201
    answer = post(api, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "studies.too_many")


def test_a_paused_tenant(api: Any, body: dict[str, Any], tenant: Tenant) -> None:
    Tenant.objects.update(submissions_paused=True)
    assert post(api, body).json()["error"]["code"] == "tenant.paused"


def test_idempotency(api: Any, body: dict[str, Any]) -> None:
    first = post(api, body, **{"Idempotency-Key": "k"})
    again = post(api, body, **{"Idempotency-Key": "k"})
    other = post(api, body | {"name": "other"}, **{"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.json()["study_id"] == again.json()["study_id"]
    assert again["Idempotent-Replayed"] == "true"
    assert StudyRun.objects.count() == 6


def test_a_dry_run_writes_nothing(api: Any, body: dict[str, Any]) -> None:
    answer = post(api, body, "/studies?dry_run=1")
    assert answer.status_code == 200
    assert answer.json() == {
        "cells": ["today", "lane"],
        "baseline": "today",
        "runs_total": 6,
        "estimate": {"cpu_h": None, "duration_s": None, "from_runs": 0},
    }
    assert Study.objects.count() == 0
    assert post(api, body | {"base": {"scenario_id": "nowhere"}}, "/studies?dry_run=1").status_code == 422


def test_the_estimate_comes_from_earlier_runs(api: Any, body: dict[str, Any], submit: Any, cluster: Any) -> None:
    submit()
    cluster.run()  # each takes 60 s for 100 simulated ones
    body["base"] |= {"end": 200, "cpu_request": 2}
    told = post(api, body, "/studies?dry_run=1").json()["estimate"]
    assert told["from_runs"] == 6
    assert told["cpu_h"] == pytest.approx(6 * 120 * 2 / 3600, abs=0.01)
    assert told["duration_s"] == pytest.approx(6 * 120 / 2, rel=0.02)  # two slots


def test_statements_do_not_grow_with_the_runs(api: Any, body: dict[str, Any], statements: list[str]) -> None:
    post(api, body)
    statements.clear()
    assert post(api, body).status_code == 201
    few = len(statements)
    statements.clear()
    body |= {"seeds": {"first": 1, "count": 50}, "sweep": {"scale": [0.9, 0.95, 1, 1.05, 1.1]}}
    assert post(api, body).json()["runs_total"] == 500
    assert len(statements) == few <= 12


def test_others_studies_are_not_there(api: Any, other_api: Any, body: dict[str, Any]) -> None:
    address = post(api, body).json()["links"]["self"]
    assert api.get(address).status_code == 200
    assert other_api.get("/studies").json() == {"studies": [], "next": None}
    files = ["runs.csv", "summary.csv", "comparisons.csv", "report.html", "archive.zip"]
    for path in ["", *(f"/{name}" for name in ["runs", "summary", *files])]:
        assert other_api.get(address + path).status_code == 404, path
    for act in ["pause", "resume", "cancel", "retry"]:
        assert other_api.post(f"{address}/{act}").status_code == 404, act
    assert other_api.post(f"{address}/extend", {"seeds": 1}, format="json").status_code == 404


def test_listing(api: Any, body: dict[str, Any]) -> None:
    ids = [post(api, body | {"name": str(number)}).json()["study_id"] for number in range(3)]
    api.post(f"/studies/{ids[0]}/cancel")
    first = api.get("/studies?limit=2").json()
    assert [study["study_id"] for study in first["studies"]] == ids[:0:-1]
    assert [study["study_id"] for study in api.get(first["next"]).json()["studies"]] == ids[:1]
    assert [study["name"] for study in api.get("/studies?status=CANCELLED").json()["studies"]] == ["0"]


def test_a_scenario_that_an_active_study_needs_stays(api: Any, body: dict[str, Any]) -> None:
    study = post(api, body).json()["study_id"]
    answer = api.delete("/scenarios/town")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "scenario.in_use")
    api.post(f"/studies/{study}/cancel")
    assert api.delete("/scenarios/town").status_code == 204
    assert api.get(f"/studies/{study}").status_code == 200


def test_a_window_is_every_cells(api: Any, body: dict[str, Any], submit: Any) -> None:
    variants = [{"name": "a"}, {"name": "b", "window_begin": 20}]
    study = submit(window={"begin": 10, "end": 90, "interval": 60}, variants=variants, primary_kpis=["vehicle_time_h"])
    asked = [
        [cell.request[name] for name in ("window_begin", "window_end", "edges_interval_s")]
        for cell in study.cells.order_by("position")
    ]
    assert asked == [[10, 90, 60], [20, 90, 60]]
    for window, code in (({"begin": 9, "end": 9}, 400), ({"begin": 100, "end": 120}, 422), ({"begin": 0}, 400)):
        assert api.post("/studies", body | {"window": window}, format="json").status_code == code


@pytest.mark.parametrize(
    ("address", "field", "entry"),
    [("/studies", "primary_kpis", "x"), ("/studies", "variants", 1), ("/jobs", "outputs", None)],
)
def test_of_a_list_that_is_too_long_no_entry_is_looked_at(
    api: Any, body: dict[str, Any], address: str, field: str, entry: Any
) -> None:
    """Saying what is wrong with each of 40,000 takes seconds."""
    asked = body if address == "/studies" else body["base"]
    (detail,) = api.post(address, asked | {field: [entry] * 60}, format="json").json()["error"]["details"]
    assert (detail["where"], detail["code"]) == (field, "max_length")


def test_cells_are_looked_at_until_an_answer_is_full(
    api: Any, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """To say of each of many options what was meant takes a tenth of a second for each cell."""
    read, looked_at = SubmitRequest.read, []
    monkeypatch.setattr(SubmitRequest, "read", lambda cell: looked_at.append(cell) or read(cell))
    unknown = {f"device.rerouting.probabilit{number}": 1 for number in range(60)}
    variants = [{"name": f"v{number}", "options": unknown} for number in range(50)]
    answer = api.post("/studies", body | {"variants": variants}, format="json")
    assert answer.json()["error"]["details"][-1]["message"] == "10 more problems are not listed."
    assert len(looked_at) == 1
