"""The local cluster's answers have the keys of a real cluster's, case by case."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.localcluster.kube import Kube, condition, recorded, until

# what differs between runs of the same case on a real cluster, or has keys chosen by the user
FREE = {"managedFields", "allocatedResources", "resources", "annotations", "env", "command"}
SIGTERM_AWARE = 'trap "echo stopped > $TERMINATION_LOG; exit 143" TERM; echo up; while :; do sleep 0.05; done'


def keys(value: Any, path: str = "") -> set[str]:
    """The paths of all keys in an answer; list items by what identifies them."""
    if isinstance(value, dict):
        found: set[str] = set()
        for name, below in value.items():
            found.add(f"{path}.{name}")
            found |= set() if name in FREE else keys(below, f"{path}.{name}")
        return found
    if isinstance(value, list):
        return {
            key
            for item in value
            for key in keys(item, f"{path}[{item.get('type', '') if isinstance(item, dict) else ''}]")
        }
    return set()


def same_keys(real: Any, ours: Any) -> None:
    missing, extra = keys(real) - keys(ours), keys(ours) - keys(real)
    assert (missing, extra) == (set(), set())


def told(events: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """What events say of whom, without names and times."""
    return {(e["type"], e["reason"], e["reportingComponent"], e["involvedObject"].get("fieldPath", "")) for e in events}


def run(kube: Kube, script: str, **options: Any) -> str:
    return kube.run("sh", "-c", script, **options)


def finish(kube: Kube, name: str) -> None:
    kube.finished(name)


def wait_for(reason: str) -> Callable[[Kube, str], Any]:
    return lambda kube, name: kube.waiting(name, reason)


def explained(kube: Kube, name: str) -> None:
    until(lambda: any(pod["status"].get("conditions") for pod in kube.pods(name)))


CASES: dict[str, tuple[str, dict[str, Any], Callable[[Kube, str], Any]]] = {
    "running": (
        "echo step 1; sleep 600",
        {},
        lambda kube, name: until(lambda: kube.running(name) and kube.job(name)["status"]["ready"]),
    ),
    "succeeded": ('echo "{}" > $TERMINATION_LOG', {}, finish),
    "failed-exit-code-65": ('echo "{}" > $TERMINATION_LOG; exit 65', {}, finish),
    "failed-fallback-to-logs": ("echo Quitting; exit 1", {}, finish),
    "oom-killed": ("echo allocating; exec python3 -c 'x = bytearray(200_000_000); input()' < /dev/zero", {}, finish),
    "evicted-emptydir-sizelimit": (
        "echo writing; head -c 80000000 /dev/zero > $WORK/big; sleep 60",
        {},
        finish,
    ),
    "deadline-pod-level": (
        SIGTERM_AWARE,
        {"pod": {"activeDeadlineSeconds": 1, "terminationGracePeriodSeconds": 20}},
        finish,
    ),
    "image-pull-backoff": (
        "true",
        {"container": {"image": "registry.invalid/sumok8/nope:1"}},
        wait_for("ImagePullBackOff"),
    ),
    "invalid-image-name": ("true", {"container": {"image": "Registry/UPPER:bad:tag"}}, wait_for("InvalidImageName")),
    "create-container-config-error": (
        "true",
        {"container": {"envFrom": [{"secretRef": {"name": "missing-secret"}}]}},
        wait_for("CreateContainerConfigError"),
    ),
    "create-container-config-error-root-image": (
        "true",
        {"container": {"image": "docker.io/library/root:test"}, "pod": {"securityContext": {"runAsNonRoot": True}}},
        wait_for("CreateContainerConfigError"),
    ),
    "pending-unschedulable": (
        "true",
        {"container": {"resources": {"requests": {"cpu": "6400"}}}},
        explained,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_case_has_the_recorded_keys_and_events(kube: Kube, case: str) -> None:
    script, options, reach = CASES[case]
    name = run(kube, script, **options)
    reach(kube, name)
    job, pods = kube.job(name), kube.pods(name)

    real_job, real_pods = recorded(f"{case}/job.json"), recorded(f"{case}/pods.json")
    same_keys(real_job["status"], job["status"])
    same_keys(real_job["metadata"], job["metadata"])
    same_keys(real_pods["items"][0]["status"], pods[0]["status"])
    same_keys(real_pods["items"][0]["metadata"], pods[0]["metadata"])
    real_end, end = condition(real_job, "Complete", "Failed"), condition(job, "Complete", "Failed")
    assert (end or {}).get("reason") == (real_end or {}).get("reason")

    real_events = recorded(f"{case}/events.json")["items"]
    until(lambda: told(kube.events(name) + kube.events(pods[0]["metadata"]["name"])) == told(real_events))
    by_reason = {e["reason"]: e for e in kube.events(name) + kube.events(pods[0]["metadata"]["name"])}
    for event in real_events:
        same_keys(event, by_reason[event["reason"]])
