"""A job's own `request`, posted again, asks for the same run."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulations.models import Job, Scenario
from simulations.sumo.inputs.options import ALLOWED, ALWAYS_WRITTEN, OUTPUTS, AllowedOption
from tests.simulations.scenarios import archive, upload

FIELDS_TOO = ("scale", "step-length")


def values_of(option: AllowedOption) -> st.SearchStrategy[Any]:
    low, high = option.minimum, option.maximum
    match option.type:
        case "bool":
            return st.booleans()
        case "choice":
            return st.sampled_from(option.choices)
        case "names":
            return st.sampled_from(["x,y", "speed"])
        case "int":
            return st.integers(int(low or 0), int(high or 10))
    return st.floats(low, high, allow_nan=False) | st.integers(int(low or 0) + 1, int(high or 10))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


REQUESTS = st.fixed_dictionaries(
    {"scenario_id": st.just("town")},
    optional={
        "scenario_version": maybe(st.sampled_from([1, 2])),
        "cpu_request": st.integers(1, 10),
        "memory_gi": st.integers(1, 20),
        "config": maybe(st.sampled_from(["run.sumocfg", " odd.sumocfg"])),
        "seed": maybe(st.integers(0, 2**31 - 1)),
        "begin": maybe(st.integers(0, 50) | st.floats(0, 50)),
        "end": maybe(st.integers(51, 10**6) | st.floats(51, 10**6)),
        "step_length": maybe(st.floats(0.001, 60)),
        "scale": maybe(st.integers(0, 100) | st.floats(0, 100)),
        "options": st.fixed_dictionaries(
            {}, optional={name: values_of(rule) for name, rule in ALLOWED.items() if name not in FIELDS_TOO}
        ),
        "outputs": st.lists(st.sampled_from([*OUTPUTS, *ALWAYS_WRITTEN]), max_size=5),
        "emissions": st.booleans(),
        "time_limit_s": maybe(st.integers(1, 24 * 3600)),
        "priority": st.integers(-100, 100),
        "labels": st.dictionaries(st.text("ab1", min_size=1, max_size=9), st.text("ab ", max_size=9), max_size=3),
    },
)  # fmt: skip


@pytest.fixture
def towns(api: Any, tenant: Any) -> None:
    tenant.max_queued_jobs = 10**6
    tenant.save()
    for note in ("one", "two"):
        configs = ("run.sumocfg", " odd.sumocfg")
        answer = upload(api, content=archive(configs=configs, note=note), config="run.sumocfg")
        assert answer.status_code == 201, answer.json()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=REQUESTS)
def test_any_request_comes_back_as_it_was_accepted(api: Any, towns: None, body: dict[str, Any]) -> None:
    first = api.post("/jobs", body, format="json")
    assert first.status_code == 201, first.json()
    accepted = api.get(f"/jobs/{first.json()['job_id']}").json()["request"]
    again = api.post("/jobs", accepted, format="json")
    assert again.status_code == 201, again.json()
    assert again.json()["request"] == accepted


@pytest.mark.parametrize("status, reason", [("SUCCEEDED", "COMPLETED"), ("FAILED", "LOST"), ("CANCELLED", "CANCELLED")])
def test_whatever_came_of_it(api: Any, job: Job, status: str, reason: str) -> None:
    job.move_to(status, reason=reason, message="", results={"outcome": "x"})
    shown = api.get(f"/jobs/{job.pk}").json()
    assert api.post("/jobs", shown["request"], format="json").json()["request"] == shown["request"]


def test_the_very_bytes_are_asked_for(api: Any, job: Job, town: Scenario) -> None:
    """An own scenario that took the name of a shared one since then does not run in its place."""
    accepted = api.get(f"/jobs/{job.pk}").json()["request"]
    Scenario.objects.filter(pk=town.pk).update(tenant=None)
    assert upload(api, content=archive(note="mine")).status_code == 201
    assert api.post("/jobs", accepted, format="json").status_code == 201
    assert Job.objects.first().scenario_id == town.pk
    Job.objects.all().delete()
    Scenario.objects.get(pk=town.pk).delete()
    answer = api.post("/jobs", accepted, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "scenario.not_found")
    assert accepted["sha256"][:12] in answer.json()["error"]["message"]


def test_a_default_time_limit_beyond_the_largest_is_the_largest(api: Any, town: Scenario, settings: Any) -> None:
    settings.JOB_MAX_TIME_LIMIT_S = 60
    accepted = api.post("/jobs", {"scenario_id": "town"}, format="json").json()["request"]
    assert accepted["time_limit_s"] == 60
    assert api.post("/jobs", accepted, format="json").status_code == 201


@pytest.mark.parametrize("bad", ["", "x" * 64, "A" * 64, "a" * 63, 5, True])
def test_bad_hashes(api: Any, town: Scenario, bad: Any) -> None:
    answer = api.post("/jobs", {"scenario_id": "town", "sha256": bad}, format="json")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["where"] == "sha256"
