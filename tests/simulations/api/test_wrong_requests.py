"""POST /jobs with what cannot be meant: each mistake is named, and no answer is long."""

from typing import Any

import pytest

from simulations.models import Job, Scenario
from simulations.sumo.protocol.problems import MAX_LISTED
from tenants.parsers import MAX_NAMES
from tests.simulations.api.test_submission import codes, submit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "fields",
    [
        {"cpu_request": "2"},
        {"cpu_request": True},
        {"cpu_request": 1.0},
        {"cpu_request": 0},
        {"cpu_request": None},
        {"memory_gi": -1},
        {"memory_gi": [1]},
        {"seed": 2**31},
        {"seed": -1},
        {"seed": "1"},
        {"begin": "0"},
        {"begin": True},
        {"end": {"a": 1}},
        {"begin": 50, "end": 50},
        {"scale": -1},
        {"scale": 10**400},
        {"step_length": 0},
        {"emissions": "yes"},
        {"emissions": 1},
        {"options": []},
        {"options": {"remote-port": 1}},
        {"options": {"no-such": 1}},
        {"outputs": "tripinfo"},
        {"outputs": ["no-such"]},
        {"outputs": [1]},
        {"outputs": [{}]},
        {"time_limit_s": 0},
        {"time_limit_s": 10**9},
        {"priority": 101},
        {"labels": []},
        {"labels": {"a": 1}},
        {"labels": {"a:b": "1"}},
        {"labels": {"": "1"}},
        {"labels": {"a": "x" * 101}},
        {"labels": {"a": "\x1b[2Jx"}},
        {"labels": {f"l{n}": "" for n in range(21)}},
        {"config": 1},
        {"config": "x" * 501},
        {"scenario_version": 0},
        {"scenario_version": "1"},
        {"scenario_id": 1},
        {"scenario_id": "../x"},
        {"scenario_id": "a\n"},
        {"scenario_id": None},
        {"nonsense": 1},
    ],
    ids=str,
)
def test_refuses_wrong_values(api: Any, town: Scenario, fields: dict[str, Any]) -> None:
    answer = submit(api, **fields)
    assert answer.status_code == 400, answer.json()
    assert answer.json()["error"]["details"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "body", ["", "[]", "1", "null", '"x"', "{", '{"scenario_id": "town", "seed": NaN}', "[" * 9999]
)
def test_refuses_what_is_no_object(api: Any, body: str) -> None:
    answer = api.post("/jobs", body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in {"invalid", "malformed"}


def test_refuses_a_huge_body(api: Any) -> None:
    answer = api.post("/jobs", b" " * (1024 * 1024 + 1), content_type="application/json")
    assert answer.status_code == 413


def test_all_problems_at_once(api: Any, town: Scenario) -> None:
    answer = submit(api, cpu_request="2", nonsense=1, Seed=2, options={"remote-port": 1, "nope": 2}, outputs=["x"])
    assert codes(answer) == [
        ("invalid", "cpu_request"),
        ("option.denied", "options.remote-port"),
        ("option.not_allowed", "options.nope"),
        ("output.unknown", "outputs[0]"),
        ("unknown_field", "Seed"),
        ("unknown_field", "nonsense"),
    ]


NAMES = [f"field_{n}" for n in range(MAX_NAMES - 1)]
WIDE: list[dict[str, Any]] = [
    dict.fromkeys(NAMES, 1),
    {"options": dict.fromkeys((f"time-to-teleprot{name}" for name in NAMES), 1)},
    {"options": {f"{name}{'x' * 900}": 1 for name in NAMES}},
    {"outputs": ["x" * 50] * 10_000},
    {"outputs": [{"a": 1}] * 10_000},
    {"labels": dict.fromkeys(NAMES, 1)},
    {"scenario_id": "x" * 900_000},
    {"scenario_id": [["x"] * 1000] * 40},
    {"options": dict.fromkeys(NAMES, 1), "outputs": list(range(1000)), **dict.fromkeys(NAMES[:900], 1)},
]


@pytest.mark.parametrize("fields", WIDE, ids=lambda fields: ",".join(fields)[:30])
def test_whatever_is_wrong_the_answer_is_short(api: Any, town: Scenario, fields: dict[str, Any]) -> None:
    answer = submit(api, **fields)
    assert answer.status_code == 400
    assert len(answer.content) < 100_000
    assert len(answer.json()["error"]["details"]) <= MAX_LISTED + 1


def test_problems_that_are_not_listed_are_counted(api: Any, town: Scenario) -> None:
    options = {f"no-such-{n}": 1 for n in range(200)}
    *shown, last = submit(api, **dict.fromkeys(NAMES[:300], 1), options=options).json()["error"]["details"]
    assert len(shown) == MAX_LISTED
    assert last == {"code": "more_problems", "message": "450 more problems are not listed.", "more": 450}
