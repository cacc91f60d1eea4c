"""POST /jobs."""

import json
from typing import Any

import pytest
from django.db import connection

from simulations import machines
from simulations.api.requests import ProgressRequest, SubmitRequest
from simulations.models import Job, Scenario
from simulations.models.json_columns import AcceptedRequest, Progress
from tests.factories import ScenarioFactory
from tests.simulations.scenarios import NET, ROUTES, archive, upload
from tests.simulations.sumo.builders import config, zip_of

pytestmark = pytest.mark.django_db


def submit(api: Any, **fields: Any) -> Any:
    return api.post("/jobs", {"scenario_id": "town", **fields}, format="json")


def codes(answer: Any) -> list[tuple[str, str | None]]:
    return sorted((entry["code"], entry.get("where")) for entry in answer.json()["error"]["details"])


def test_the_specs_example_body(api: Any) -> None:
    upload(api, "zurich_peak")
    answer = api.post("/jobs", {"scenario_id": "zurich_peak", "cpu_request": 2, "memory_gi": 4}, format="json")
    assert answer.status_code == 201
    assert answer.json()["status"] == "PENDING"
    assert answer["Location"] == f"/jobs/{answer.json()['job_id']}"


def test_curl_without_a_content_type(api: Any, town: Scenario) -> None:
    body = json.dumps({"scenario_id": "town"})
    assert api.post("/jobs", body, content_type="application/x-www-form-urlencoded").status_code == 201


def test_at_most_three_statements(api: Any, town: Scenario) -> None:
    submit(api)  # the key's last use is written at its first
    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        assert submit(api).status_code == 201
    statements = [sql for sql in statements if "SAVEPOINT" not in sql]  # the test's own transaction
    assert len(statements) == 3, statements
    assert "FOR NO KEY UPDATE" in statements[1]


def test_the_configurations_own_seed_comes_before_a_drawn_one(api: Any) -> None:
    members = {"run.sumocfg": config('<seed value="5"/>'), "net.net.xml": NET, "demand.rou.xml": ROUTES}
    upload(api, content=zip_of(members).getvalue())
    assert submit(api).json()["request"]["seed"] == 5
    assert submit(api, seed=7).json()["request"]["seed"] == 7


def test_defaults_and_a_drawn_seed_are_stored(api: Any, town: Scenario) -> None:
    job = submit(api).json()
    request = job["request"]
    assert 0 <= request.pop("seed") < 2**31
    assert request == {
        "scenario_id": "town",
        "scenario_version": 1,
        "sha256": town.sha256,
        "config": "run.sumocfg",
        "cpu_request": 1,
        "memory_gi": 1,
        "begin": None,
        "end": None,
        "step_length": None,
        "scale": None,
        "options": {},
        "outputs": [],
        "emissions": False,
        "edges_interval_s": None,
        "window_begin": None,
        "window_end": None,
        "time_limit_s": 4 * 3600,
        "priority_class": "normal",
        "priority": 0,
        "labels": {},
    }
    assert Job.objects.get().k8s_job_name == f"sim-{Job.objects.get().job_id.hex}"


def test_the_given_is_kept(api: Any, town: Scenario) -> None:
    given = {
        "seed": 7,
        "begin": 10.0,
        "end": 50.0,
        "scale": 0.5,
        "step_length": 0.5,
        "options": {"time-to-teleport": 120},
        "outputs": ["edgedata"],
        "emissions": True,
        "time_limit_s": 60,
        "priority": -5,
        "labels": {"study": "bus lane", "run/no": "1"},
        "scenario_version": 1,
        "cpu_request": 2,
        "memory_gi": 3,
    }
    answer = submit(api, **given)
    assert answer.status_code == 201, answer.json()
    assert {name: answer.json()["request"][name] for name in given} == given


def test_beyond_the_tenants_limits(api: Any, town: Scenario) -> None:
    answer = submit(api, cpu_request=11, memory_gi=21)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "limits.exceeded"
    assert codes(answer) == [("limits.exceeded", "cpu_request"), ("limits.exceeded", "memory_gi")]
    assert submit(api, cpu_request=10, memory_gi=20).status_code == 201


def test_a_priority_class_is_bounded_by_what_staff_allow(api: Any, town: Scenario) -> None:
    assert submit(api).json()["priority_class"] == "normal"
    assert submit(api, priority_class="low").json()["priority_class"] == "low"
    answer = submit(api, priority_class="high")
    assert (answer.status_code, codes(answer)) == (422, [("priority_class.not_allowed", "priority_class")])
    assert submit(api, priority_class="urgent").status_code == 400
    town.tenant.change_limits(max_priority_class="high")
    answer = submit(api, priority_class="high", priority=-100)
    assert api.get(f"/jobs/{answer.json()['job_id']}").json()["queue_position"] == 1


def test_unknown_scenario_version_and_config(api: Any, town: Scenario, other_tenant: Any) -> None:
    ScenarioFactory(tenant=other_tenant, scenario_id="theirs")
    for fields in ({"scenario_id": "nope"}, {"scenario_id": "theirs"}, {"scenario_version": 2}):
        answer = submit(api, **fields)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "scenario.not_found")
    answer = submit(api, config="other.sumocfg")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "config.not_found")


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"end": 99}, 422),
        ({"begin": 200}, 422),
        ({"begin": 120}, 201),
        ({"window_begin": 200}, 422),
        ({"window_end": 100}, 422),
        ({"window_begin": 0, "window_end": 101}, 201),
    ],
)
def test_the_window_is_checked_with_the_scenarios_own_times(api: Any, fields: dict[str, Any], status: int) -> None:
    upload(api, "late", archive(begin=100, end=200))
    assert submit(api, scenario_id="late", **fields).status_code == status


def test_the_newest_version_own_before_shared(api: Any, town: Scenario) -> None:
    shared = Scenario.objects.get(pk=town.pk)
    shared.pk, shared.tenant, shared.version = None, None, 9
    shared.save()
    assert submit(api).json()["scenario_version"] == 1
    upload(api, "town", archive(note="second"))
    assert submit(api).json()["scenario_version"] == 2
    assert submit(api, scenario_version=1).json()["scenario_version"] == 1
    assert submit(api, scenario_version=9).json()["scenario_version"] == 9
    shared.pk, shared.scenario_id = None, "common"
    shared.save()
    assert submit(api, scenario_id="common").status_code == 201


def test_paused(api: Any, town: Scenario, tenant: Any) -> None:
    tenant.submissions_paused = True
    tenant.save()
    answer = submit(api)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "tenant.paused")


def test_queue_full(api: Any, town: Scenario, tenant: Any) -> None:
    tenant.max_concurrent_jobs, tenant.max_queued_jobs = 1, 1
    tenant.save()
    assert [submit(api).status_code for _ in range(2)] == [201, 201]
    answer = submit(api)
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    (entry,) = answer.json()["error"]["details"]
    assert entry["code"] == "queue.full"
    assert entry["active_jobs"] == 2
    Job.objects.first().move_to("CANCELLED", reason="CANCELLED", message="")
    assert submit(api).status_code == 201


def test_an_admin_key_is_no_tenant(admin_api: Any) -> None:
    assert submit(admin_api).status_code == 403


def test_what_the_columns_hold_has_the_requests_names() -> None:
    assert AcceptedRequest.__annotations__.keys() == SubmitRequest().fields.keys()
    assert Progress.__annotations__.keys() == ProgressRequest().fields.keys()


def test_larger_than_any_machine_is_refused_at_once(api: Any, town: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "_look", lambda cluster_id: [(4, 8), (2, 16)])
    answer = submit(api, cpu_request=4, memory_gi=16)
    assert (answer.status_code, codes(answer)) == (422, [("limits.no_machine", "cpu_request")])
    assert "at most 4 CPUs and 8 Gi, or 2 CPUs and 16 Gi can be had" in answer.json()["error"]["details"][0]["message"]
    machines.forget()
    monkeypatch.setattr(machines, "_look", lambda cluster_id: [])  # not known
    job = submit(api, cpu_request=4, memory_gi=16).json()
    machines.forget()
    monkeypatch.setattr(machines, "_look", lambda cluster_id: [(4, 8)])  # it has gone since
    assert "at most 4 CPUs and 8 Gi" in api.get(f"/jobs/{job['job_id']}").json()["message"]
