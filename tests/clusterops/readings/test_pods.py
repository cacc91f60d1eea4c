"""One pod in states that no recording has → what a run says."""

from typing import Any

import pytest

from clusterops.contract import Phase
from clusterops.readings.jobs import run_of
from clusterops.readings.pods import pod_state
from clusterops.readings.quantities import quantity
from clusterops.readings.runner_log import unreachable

SILENT = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}


def pod(phase: str = "Failed", *, deleted: bool = False, ended: dict[str, Any] | None = None, **status: Any) -> Any:
    meta: dict[str, Any] = {"name": "sim-x", "namespace": "city-a", "creationTimestamp": "2026-01-01T00:00:00Z"}
    if deleted:
        meta["deletionTimestamp"] = "2026-01-01T00:01:00Z"
    states = [] if ended is None else [{"name": "sumo", "state": {"terminated": ended}}]
    return {"metadata": meta, "spec": {}, "status": {"phase": phase, "containerStatuses": states, **status}}


@pytest.mark.parametrize(
    "found, phase, reason",
    [
        (pod(deleted=True, ended={"exitCode": 75}), Phase.ENDING, "DELETED_EXTERNALLY"),
        (pod(deleted=True, ended={"exitCode": 143}), Phase.ENDING, "DELETED_EXTERNALLY"),
        (pod(deleted=True, ended={"exitCode": 137}), Phase.ENDING, "DELETED_EXTERNALLY"),
        (pod(deleted=True, ended={"exitCode": 1}), Phase.ENDING, "DELETED_EXTERNALLY"),
        (pod(deleted=True, ended={"exitCode": 66}), Phase.FAILED, "SUMO_FAILED"),  # its own end, before its deletion
        (pod(deleted=True, ended={"exitCode": 137, "reason": "OOMKilled"}), Phase.FAILED, "OUT_OF_MEMORY"),
        (pod("Succeeded", deleted=True, ended={"exitCode": 0}), Phase.SUCCEEDED, None),
        (pod("Running", deleted=True, conditions=[SILENT]), Phase.ENDING, "NODE_LOST"),
        (pod(ended={"exitCode": 128, "reason": "StartError"}), Phase.FAILED, "CONFIG_ERROR"),
        (pod(reason="OutOfcpu"), Phase.FAILED, "INTERRUPTED"),  # the machine refused it
        (pod(), Phase.FAILED, "LOST"),
        (pod("Running", ended={"exitCode": 0}), Phase.ENDING, "FINISHING"),
    ],
)
def test_what_a_pod_says(found: Any, phase: Phase, reason: str | None) -> None:
    state = pod_state(found)
    assert (state["phase"], state.get("reason")) == (phase, reason)


@pytest.mark.parametrize("exit_code, phase", [(0, Phase.SUCCEEDED), (66, Phase.FAILED), (75, Phase.ENDING)])
def test_a_job_deleted_in_the_foreground_whose_pod_had_ended(exit_code: int, phase: Phase) -> None:
    own = pod("Failed" if exit_code else "Succeeded", deleted=True, ended={"exitCode": exit_code})
    job = {"metadata": {**own["metadata"], "uid": "u"}, "spec": {}, "status": {}}
    assert run_of(job, [own]).phase is phase


@pytest.mark.parametrize(
    "log, words",
    [
        ('{"event":"phase","phase":"unreachable","message":"No name."}\n', "No name."),
        ('{"event":"phase","phase":"unreachable","message":"No name."}\n{"event":"phase","phase":"checking"}\n', ""),
        ('{"event":"phase","phase":"unreachable","message":"No name."}\n{"event":"sumo"}\n[1]\n', "No name."),
        ("Step #1.00\n", ""),
        ("{not json\n", ""),
    ],
)
def test_a_log_that_says_that_it_cannot_reach_us(log: str, words: str) -> None:
    assert unreachable(log) == words


def test_a_quantity_beyond_all_bounds_is_none() -> None:
    with pytest.raises(ValueError, match="no quantity of anything"):
        quantity("1e999")
