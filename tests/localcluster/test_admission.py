"""Quotas, pod security and limit ranges let in, refuse and explain as recorded."""

import json
import re

from tests.localcluster.kube import APPLY, MERGE, Kube, condition, job, recorded, until


def quota(kube: Kube, **hard: str) -> None:
    body = {"metadata": {"name": "tenant"}, "spec": {"hard": {k.replace("_", "."): v for k, v in hard.items()}}}
    kube.ok("POST", kube.at("resourcequotas"), body)


def test_a_job_beyond_the_quota_waits_with_an_event_and_runs_when_there_is_room(kube: Kube) -> None:
    quota(kube, requests_cpu="150m", requests_memory="1Gi", pods="5")
    first = kube.run("sleep", "600")
    kube.running(first)
    second = kube.run("true")
    event = until(lambda: next((e for e in kube.events(second) if e["reason"] == "FailedCreate"), None))
    real = next(e for e in recorded("waiting-quota/events.json")["items"])
    assert re.sub(r'"[^"]+"', "NAME", event["message"]) == re.sub(r'"[^"]+"', "NAME", real["message"])
    assert kube.job(second)["status"].keys() == recorded("waiting-quota/job.json")["status"].keys()
    kube.ok("DELETE", kube.at("jobs", first), {"propagationPolicy": "Background"})  # its sleep ends by the signal
    assert condition(kube.finished(second), "Complete")


def test_quota_status_follows_what_runs(kube: Kube) -> None:
    quota(kube, requests_cpu="200", requests_memory="200Gi", pods="100")
    real = recorded("resourcequota/resourcequota.json")

    def used() -> dict[str, str]:
        return kube.items("resourcequotas")[0]["status"].get("used", {})

    until(lambda: used() == {"pods": "0", "requests.cpu": "0", "requests.memory": "0"})
    names = [kube.run("sleep", "600") for _ in range(6)]
    until(lambda: used() == {"pods": "6", "requests.cpu": "600m", "requests.memory": "384Mi"})
    assert kube.items("resourcequotas")[0].keys() | {"kind", "apiVersion"} == real.keys()
    for name in names:
        kube.ok("DELETE", kube.at("pods", kube.pod(name)["metadata"]["name"]), {"gracePeriodSeconds": 1})
    until(lambda: used()["pods"] == "0")


def test_a_duplicate_create_is_409_but_403_when_the_count_quota_is_full(kube: Kube) -> None:
    manifest = job("sleep", "600")
    kube.ok("POST", kube.at("jobs"), manifest)
    status, answer = kube.send("POST", kube.at("jobs"), manifest)
    real = recorded("errors/409_already_exists.json")
    assert (status, answer["reason"], answer.keys()) == (409, real["reason"], real.keys())
    quota(kube, **{"count/jobs_batch": "1"})
    status, answer = kube.send("POST", kube.at("jobs"), manifest)
    real = recorded("errors/duplicate_post_with_full_jobs_quota.json")
    assert status == 403
    assert answer["message"].partition("forbidden: ")[2] == real["message"].partition("forbidden: ")[2]


def test_a_quota_asks_every_container_to_state_what_it_bounds(kube: Kube) -> None:
    quota(kube, requests_cpu="1", requests_memory="1Gi")
    pod = job("true", container={"resources": {}})["spec"]["template"]["spec"]
    status, answer = kube.send("POST", kube.at("pods"), {"metadata": {"name": "bare"}, "spec": pod})
    real = recorded("errors/403_quota_must_specify.json")
    assert (status, answer["message"]) == (403, real["message"].replace("bare-49cc95", "bare"))


def test_pod_security_takes_the_job_with_a_warning_and_refuses_its_pods(restricted: Kube) -> None:
    manifest = job("true", container={"securityContext": {}}, pod={"securityContext": {}})
    name = manifest["metadata"]["name"]
    status, _ = restricted.send("POST", restricted.at("jobs"), manifest)
    real = recorded("psa-refused/events.json")["items"][0]["message"].partition("is forbidden: ")[2]
    assert status == 201
    assert restricted.last_headers["Warning"].startswith('299 - "would violate PodSecurity \\"restricted:latest\\"')
    event = until(lambda: next((e for e in restricted.events(name) if e["reason"] == "FailedCreate"), None))
    assert event["message"].partition("is forbidden: ")[2] == real


def test_a_restricted_job_runs_in_a_restricted_namespace(restricted: Kube) -> None:
    assert condition(restricted.finished(restricted.run("true")), "Complete")


def test_a_limit_range_fills_in_and_bounds(kube: Kube) -> None:
    item = {
        "type": "Container",
        "defaultRequest": {"cpu": "250m"},
        "default": {"memory": "1Gi"},
        "max": {"memory": "2Gi"},
    }
    body = {"metadata": {"name": "limits"}, "spec": {"limits": [item]}}
    kube.ok("POST", kube.at("limitranges"), body)
    name = kube.run("sleep", "600", container={"resources": {}})
    resources = kube.running(name)["spec"]["containers"][0]["resources"]
    assert resources["requests"]["cpu"] == "250m"
    assert resources["limits"]["memory"] == "1Gi"
    large = kube.run("true", container={"resources": {"limits": {"memory": "3Gi"}}})
    event = until(lambda: next(iter(kube.events(large)), None))
    assert event["message"].endswith("maximum memory usage per Container is 2Gi, but limit is 3Gi")


def test_apply_creates_repairs_and_names_conflicts(kube: Kube) -> None:
    path = kube.at("resourcequotas", "tenant")

    def body(**hard: str) -> dict[str, object]:
        return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tenant"}, "spec": {"hard": hard}}

    status, answer = kube.send("PATCH", path, body(pods="5"), content_type=APPLY)
    assert (status, answer) == (422, recorded("errors/422_or_400_apply_without_fieldmanager.json"))
    mine = {"content_type": APPLY, "fieldManager": "sumok8"}
    assert kube.send("PATCH", path, body(pods="5", **{"requests.cpu": "2"}), **mine)[0] == 201
    before = kube.ok("GET", path)["metadata"]["resourceVersion"]
    kube.ok("PATCH", path, body(pods="5", **{"requests.cpu": "2"}), **mine)
    assert kube.ok("GET", path)["metadata"]["resourceVersion"] == before or "status" in kube.ok("GET", path)
    kube.ok("PATCH", path, {"spec": {"hard": {"pods": "99", "limits.cpu": "7"}}}, content_type=MERGE)
    status, answer = kube.send("PATCH", path, body(pods="5"), **mine)
    real = recorded("errors/409_apply_conflict.json")
    assert (status, answer) == (409, json.loads(json.dumps(real).replace("python-urllib3", "tester")))
    kube.ok("PATCH", path, body(pods="5"), **mine, force="true")
    assert kube.ok("GET", path)["spec"]["hard"] == {"pods": "5", "limits.cpu": "7"}
