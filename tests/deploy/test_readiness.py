"""When a workload counts as ready, and what is said while it does not."""

from typing import Any

import pytest

from clusterops.install.readiness import event_of, failure_of, is_ready, trouble_of


def deployment(*, generation: int = 2, wanted: int = 2, **status: int) -> dict[str, Any]:
    return {
        "kind": "Deployment",
        "metadata": {"name": "web", "generation": generation},
        "spec": {"replicas": wanted},
        "status": status,
    }


FULL = {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


@pytest.mark.parametrize(
    ("live", "ready"),
    [
        (deployment(observedGeneration=2, **FULL), True),
        (deployment(observedGeneration=1, **FULL), False),
        (deployment(observedGeneration=2, **FULL | {"updatedReplicas": 1}), False),
        (deployment(observedGeneration=2, **FULL | {"replicas": 3}), False),
        (deployment(observedGeneration=2, replicas=2, updatedReplicas=2), False),
        (deployment(), False),
        (deployment(observedGeneration=2, wanted=0), True),
    ],
)
def test_deployment(live: dict[str, Any], ready: bool) -> None:
    assert is_ready(live) is ready


@pytest.mark.parametrize(
    ("conditions", "ready", "failure"),
    [
        ([], False, ""),
        ([{"type": "Complete", "status": "True"}], True, ""),
        ([{"type": "Complete", "status": "False"}], False, ""),
        ([{"type": "Failed", "status": "True", "message": "backoff limit"}], False, "backoff limit"),
    ],
)
def test_job(conditions: list[dict[str, str]], ready: bool, failure: str) -> None:
    live = {"kind": "Job", "metadata": {"name": "m", "generation": 1}, "spec": {}, "status": {"conditions": conditions}}
    assert (is_ready(live), failure_of(live)) == (ready, failure)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({}, ""),
        ({"containerStatuses": [{"name": "web", "state": {"waiting": {"reason": "ContainerCreating"}}}]}, ""),
        (
            {"initContainerStatuses": [{"name": "w", "state": {"waiting": {"reason": "CreateContainerConfigError"}}}]},
            "w: CreateContainerConfigError",
        ),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}]},
            "Unschedulable: 0/1",
        ),
    ],
)
def test_trouble(status: dict[str, Any], text: str) -> None:
    assert trouble_of([{"status": status}]) == text


def event(kind: str, name: str, reason: str, at: str, **more: str) -> dict[str, Any]:
    about = {"kind": kind, "name": name}
    return {"type": "Warning", "involvedObject": about, "reason": reason, "message": "m", "lastTimestamp": at} | more


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([], ""),
        ([event("Pod", "web-5d-x", "Failed", "2026-01-01T00:00:01Z")], "Failed: m"),
        ([event("Pod", "other-5d-x", "Failed", "2026-01-01T00:00:01Z")], ""),
        ([event("Pod", "web-5d-x", "Pulled", "2026-01-01T00:00:01Z", type="Normal")], ""),
        ([event("ReplicaSet", "web-5d", "FailedCreate", "2026-01-01T00:00:01Z")], "FailedCreate: m"),
        ([event("ReplicaSet", "website-5d", "FailedCreate", "2026-01-01T00:00:01Z")], ""),
        (
            [event("Deployment", "web", "Late", "2026-01-01T00:00:03Z"), event("Pod", "web-5d-x", "Early", "")],
            "Late: m",
        ),
        ([event("Deployment", "web", "Series", "", eventTime="2026-01-01T00:00:01Z")], "Series: m"),
    ],
)
def test_the_newest_warning_about_it_or_what_it_made(events: list[dict[str, Any]], text: str) -> None:
    assert event_of(events, deployment(), [{"metadata": {"name": "web-5d-x"}}]) == text
