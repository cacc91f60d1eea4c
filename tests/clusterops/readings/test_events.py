"""What events add to Jobs and pods, and when they are asked for."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clusterops.policy.sentences import sentence
from clusterops.readings import events as event_readings
from clusterops.readings import jobs as job_readings
from simulations.models import Job

RECORDINGS = Path(__file__).parents[1] / "recordings"
BEFORE, LATER = datetime(2026, 11, 23, 4, 7, tzinfo=UTC), datetime(2026, 11, 23, 12, tzinfo=UTC)
FAILED = "Failed to schedule pod, "


def lists(case: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """The recorded Jobs, pods and events."""
    folder = RECORDINGS / case
    pods, events = (json.loads((folder / f"{kind}.json").read_text())["items"] for kind in ("pods", "events"))
    return [json.loads((folder / "job.json").read_text())], pods, events


def said_by_karpenter(pod: dict[str, Any], message: str, at: str = "2026-11-23T04:08:00Z") -> dict[str, Any]:
    """As client-go's recorder writes it for Karpenter's scheduling/events.go."""
    meta = pod["metadata"]
    return {
        "metadata": {"name": f"{meta['name']}.1", "namespace": meta["namespace"], "creationTimestamp": at},
        "involvedObject": {"kind": "Pod", "name": meta["name"], "uid": meta["uid"]},
        "reason": "FailedScheduling",
        "message": message,
        "source": {"component": "karpenter"},
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
        "type": "Warning",
        "eventTime": None,
        "reportingComponent": "karpenter",
    }


@pytest.mark.parametrize("case, explained", [("waiting-quota", False), ("running", True), ("succeeded", True)])
def test_events_are_needed_for_jobs_without_pod_and_verdict(case: str, explained: bool) -> None:
    jobs, pods, _ = lists(case)
    assert event_readings.has_unexplained(jobs, pods, LATER) is not explained
    assert not event_readings.has_unexplained(jobs, pods, BEFORE)


@pytest.mark.parametrize(
    "case, waits", [("pending-unschedulable", True), ("preempted", True), ("container-creating", False)]
)
def test_events_are_needed_for_pods_that_no_machine_takes(case: str, waits: bool) -> None:
    _, pods, _ = lists(case)
    assert event_readings.has_unschedulable(pods, LATER) is waits
    assert not event_readings.has_unschedulable(pods, BEFORE)


@pytest.mark.parametrize(
    "words, says",
    [
        # older Karpenters, newer ones, several pools, a limit of nodes
        ('all available instance types exceed limits for nodepool: "sumo"', "The node pool is at its limit; it starts"),
        ("all available instance types exceed limits for nodepool (NodePool=sumo)", "The node pool is at its limit; "),
        (
            'incompatible with nodepool "gpu", daemonset overhead={"cpu":"380m"}, did not tolerate gpu=:NoSchedule; '
            "all available instance types exceed limits for nodepool (NodePool=sumo)",
            "The node pool is at its limit; it starts",
        ),
        ("node limits have been exhausted for nodepool (NodePool=sumo)", "The node pool is at its limit; it starts"),
        # the local cluster, which names the limit too
        (
            "all available instance types exceed limits for nodepool (NodePool=sumo, cpu=100)",
            "The node pool is at its limit of 100 CPU; it starts when other jobs end or the operator raises the limit.",
        ),
        (
            'incompatible with nodepool "sumo", no instance type has enough resources',
            "No machine has room, and at present none that fits can be added. Ask for less CPU or memory, or tell ",
        ),
    ],
)
def test_what_the_autoscaler_cannot_do_is_told_in_its_words(words: str, says: str) -> None:
    jobs, pods, events = lists("pending-unschedulable")
    events += [
        said_by_karpenter(pods[0], FAILED + "older words", at="2026-11-23T04:07:59Z"),
        said_by_karpenter(pods[0], FAILED + words),
    ]
    [run] = job_readings.runs(jobs, pods, event_readings.explanations(events))
    message = sentence(run.reason, Job(), run)
    assert run.reason == "WAITING_FOR_NODE"
    assert message.startswith(says)
    assert message.endswith(f" The cluster says: {FAILED}{words}.")


def test_the_schedulers_own_event_explains_nothing_new() -> None:
    jobs, pods, events = lists("pending-unschedulable")
    assert event_readings.explanations(events) == {}
    [run] = job_readings.runs(jobs, pods, {})
    message = sentence(run.reason, Job(), run)
    assert message.startswith("No machine has room yet; if the cluster adds machines by itself, one is being started, ")
    assert "Insufficient cpu" in message


def test_a_pod_that_has_its_machine_waits_for_none() -> None:
    jobs, pods, _ = lists("running")
    events = [said_by_karpenter(pods[0], FAILED + "all available instance types exceed limits for nodepool")]
    [run] = job_readings.runs(jobs, pods, event_readings.explanations(events))
    assert (run.reason, run.detail) == ("", "")
