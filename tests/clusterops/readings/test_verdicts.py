"""Watches' lines, made of recorded objects: only two that fit together tell an ending, and it is the lists' own."""

import json
from itertools import product
from typing import Any

import pytest

from clusterops.contract import Phase
from clusterops.readings import verdicts
from clusterops.readings.verdicts import Verdicts
from tests.clusterops.readings.test_jobs import RECORDINGS, recorded

Json = dict[str, Any]


def objects(case: str) -> tuple[Json, list[Json]]:
    folder = RECORDINGS / case
    return json.loads((folder / "job.json").read_text()), json.loads((folder / "pods.json").read_text())["items"]


def line(item: Json, kind: str = "MODIFIED") -> bytes:
    return json.dumps({"type": kind, "object": item}, separators=(",", ":")).encode()


def told(case: str, seen: Verdicts) -> list[bool]:
    job, pods = objects(case)
    return [seen.heed("jobs", line(job)), *(seen.heed("pods", line(pod)) for pod in pods)]


@pytest.mark.parametrize("case", ["succeeded", "failed-exit-code-65", "oom-killed", "failed-fallback-to-logs"])
def test_whichever_comes_first_the_run_is_the_lists(case: str) -> None:
    job, [pod] = objects(case)
    lines = [("jobs", line(job)), ("pods", line(pod))]
    for order in (lines, lines[::-1]):
        seen = Verdicts()
        assert [seen.heed(*each) for each in order] == [False, True]
        assert seen.take() == [recorded(case)]
        assert [seen.heed(*each) for each in order] == [False, False]  # told already
        assert seen.take() == []


@pytest.mark.parametrize("case", sorted(each.parent.name for each in RECORDINGS.glob("*/pods.json")))
def test_whatever_is_told_is_an_end_that_the_lists_tell_too(case: str) -> None:
    job, _ = objects(case)
    seen = Verdicts()
    told(case, seen)
    for run in seen.take():
        assert run == recorded(case)
        assert run.phase in (Phase.SUCCEEDED, Phase.FAILED)
        assert run.decided
        assert job["kind"] == "Job"


def test_nothing_is_told_of_what_is_deleted_disrupted_or_may_be_another_pods() -> None:
    job, [pod] = objects("succeeded")
    gone = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    going_job = {**job, "metadata": job["metadata"] | gone}
    going_pod = {**pod, "metadata": pod["metadata"] | gone}
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    taken = {**pod, "status": pod["status"] | {"conditions": [*pod["status"]["conditions"], disrupted]}}
    twice = {**job, "status": job["status"] | {"succeeded": 1, "failed": 1}}
    for one, other in [*product([going_job, twice], [pod]), *product([job], [going_pod, taken])]:
        seen = Verdicts()
        assert not seen.heed("jobs", line(one))
        assert not seen.heed("pods", line(other))
    second = {**pod, "metadata": pod["metadata"] | {"uid": "another", "name": "another"}}
    seen = Verdicts()
    assert [seen.heed("pods", line(pod)), seen.heed("pods", line(second)), seen.heed("jobs", line(job))][2]
    assert seen.take() == []
    seen = Verdicts()
    assert not seen.heed("jobs", line(job, "DELETED"))
    assert not seen.heed("pods", line(pod))


@pytest.mark.parametrize(
    "text",
    [
        b'"Complete"',
        b'{"type": "Failed"}',
        b'["Succeeded", "Failed"]',
        b'{"type":"MODIFIED","object":{"status":"Failed"}}',
    ],
)
def test_what_cannot_be_read_is_left_to_the_lists(text: bytes) -> None:
    assert not Verdicts().heed("jobs", text)
    assert not Verdicts().heed("pods", text)


def test_halves_that_never_meet_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "KEPT", 2)
    job, [pod] = objects("succeeded")
    seen = Verdicts()
    seen.heed("pods", line(pod))
    for uid in ("a", "b"):
        seen.heed("jobs", line({**job, "metadata": job["metadata"] | {"uid": uid}}))
    assert not seen.heed("jobs", line(job))
    assert len(seen._halves) == 2


def test_an_ending_in_a_shape_never_seen_is_left_to_the_lists_and_hides_no_other() -> None:
    seen = Verdicts()
    job, [pod] = objects("succeeded")
    odd = {**job, "metadata": job["metadata"] | {"uid": "odd", "name": 7}}
    owned = {**pod, "metadata": pod["metadata"] | {"uid": "p", "ownerReferences": [{"uid": "odd"}]}}
    assert [seen.heed("jobs", line(odd)), seen.heed("pods", line(owned))] == [False, True]
    told("succeeded", seen)
    assert seen.take() == [recorded("succeeded")]
