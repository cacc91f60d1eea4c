"""What the API refuses, word for word as recorded."""

import json
from typing import Any

import pytest

from tests.localcluster.kube import MERGE, Kube, job, recorded, until


def plain(real: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    """`real` with our object's name in place of the recorded one."""
    old, new = real.get("details", {}).get("name"), ours.get("details", {}).get("name")
    return json.loads(json.dumps(real).replace(old, new)) if old and new else real


def refused(kube: Kube, case: str, *request: Any, **more: Any) -> None:
    status, answer = kube.send(*request, **more)
    real = recorded(f"errors/{case}.json")
    assert (status, answer) == (real["code"], plain(real, answer))


def test_unknown_names(kube: Kube) -> None:
    refused(kube, "404_job", "GET", kube.at("jobs", "sim-00000000000000000000000000000000"))
    refused(kube, "404_job_delete", "DELETE", kube.at("jobs", "sim-5c9134d0bda142e99e0dac5795fba625"))
    refused(kube, "404_namespace", "POST", "/apis/batch/v1/namespaces/nope/jobs", job("true"))
    refused(kube, "404_namespace_get", "GET", "/api/v1/namespaces/tenant-term")
    refused(kube, "404_log_deleted_pod", "GET", kube.at("pods", "sim-x-gone", "log"))


@pytest.mark.parametrize(
    ("case", "name", "labels"),
    [
        ("422_invalid_name_uppercase", "Sim-ABC", {}),
        ("422_name_64_chars", "s" * 64, {}),
        ("422_name_too_long", "s" * 300, {}),
        ("422_bad_label", "sim-x", {"sumok8.io/tenant": "Bad Value!"}),
    ],
)
def test_names_and_labels(kube: Kube, case: str, name: str, labels: dict[str, str]) -> None:
    manifest = job("true", name=name)
    manifest["metadata"]["labels"] = labels
    manifest["spec"]["template"]["metadata"]["labels"] = {}
    status, answer = kube.send("POST", kube.at("jobs"), manifest)
    real = recorded(f"errors/{case}.json")
    assert (status, answer["reason"], len(answer["details"]["causes"])) == (
        422,
        "Invalid",
        len(real["details"]["causes"]),
    )
    assert [c["field"] for c in answer["details"]["causes"]] == [c["field"] for c in real["details"]["causes"]]


def test_bodies(kube: Kube) -> None:
    assert kube.send("POST", kube.at("jobs"), b"{nope")[0] == 400
    refused(kube, "415_media_type", "POST", kube.at("jobs"), b"x", content_type="text/plain")
    bad = job("true", container={"resources": {"requests": {"cpu": "lots"}}})
    refused(kube, "400_bad_quantity", "POST", kube.at("jobs"), bad)
    refused(
        kube,
        "422_podreplacementpolicy",
        "POST",
        kube.at("jobs"),
        job("true", podReplacementPolicy="TerminatingOrFailed"),
    )
    refused(kube, "400_unknown_field_strict", "POST", kube.at("jobs"), job("true", nosuch=1), fieldValidation="Strict")
    assert kube.send("POST", kube.at("jobs"), {"spec": 3})[0] == 400
    assert kube.send("POST", kube.at("jobs"), [])[0] == 400


def test_a_template_is_immutable(kube: Kube) -> None:
    name = kube.run("sleep", "600")
    change = {"spec": {"template": {"spec": {"restartPolicy": "OnFailure"}}}}
    status, answer = kube.send("PATCH", kube.at("jobs", name), change, content_type=MERGE)
    real = recorded("errors/422_job_template_immutable.json")
    assert status == 422
    assert [c["field"] for c in answer["details"]["causes"]] == [c["field"] for c in real["details"]["causes"]]
    kube.ok("PATCH", kube.at("jobs", name), {"spec": {"ttlSecondsAfterFinished": 7}}, content_type=MERGE)
    assert kube.job(name)["spec"]["ttlSecondsAfterFinished"] == 7


def test_tokens(kube: Kube) -> None:
    kube.token = "wrong"
    refused(kube, "401_bad_token", "GET", kube.at("jobs"))
    kube.token = ""
    status, answer = kube.send("GET", kube.at("jobs"))
    assert (status, answer.keys()) == (403, recorded("errors/no_token.json").keys())
    assert kube.send("GET", "/version")[0] == 200


def test_logs_of_pods_that_have_none(kube: Kube) -> None:
    pending = kube.run("true", container={"resources": {"requests": {"cpu": "6400"}}})
    pod = until(lambda: kube.pods(pending))[0]["metadata"]["name"]
    assert kube.send("GET", kube.at("pods", pod, "log")) == (204, "")
    for case, waiting, options in (
        ("400_log_image_pull_backoff", "ImagePullBackOff", {"image": "registry.invalid/a:1"}),
        ("400_log_config_error", "CreateContainerConfigError", {"envFrom": [{"secretRef": {"name": "no"}}]}),
    ):
        name = kube.waiting(kube.run("true", container=options), waiting)["metadata"]["name"]
        status, answer = kube.send("GET", kube.at("pods", name, "log"))
        real = recorded(f"errors/{case}.json")
        assert (status, answer["message"].partition(" is waiting")[2]) == (
            400,
            real["message"].partition(" is waiting")[2],
        )
    running = kube.running(kube.run("sleep", "600"))["metadata"]["name"]
    status, answer = kube.send("GET", kube.at("pods", running, "log"), previous="true")
    assert (status, answer["message"].endswith("not found")) == (400, True)
    status, answer = kube.send("GET", kube.at("pods", running, "log"), container="nope")
    assert (status, answer["message"]) == (400, f"container nope is not valid for pod {running}")
