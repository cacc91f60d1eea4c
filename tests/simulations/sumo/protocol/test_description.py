import json

import pytest

from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome, RunEnd

GOOD = {
    "v": 1,
    "job_id": "5b0c",
    "attempt": 1,
    "scenario": {"scenario_id": "s", "version": 2, "sha256": "ab", "config": None},
    "seed": 3,
    "begin": None,
    "end": 3600,
    "step_length": None,
    "scale": 1.2,
    "options": {"time-to-teleport": 120},
    "outputs": ["edgedata"],
    "emissions": True,
    "summary_period_s": 60,
    "progress_s": 5,
    "limits": {"wall_s": 60, "output_bytes": 1, "unpacked_bytes": 1, "files": 1},
}


def test_a_good_description() -> None:
    job = JobDescription.parse(json.dumps(GOOD))
    assert (job.scenario_version, job.end, job.outputs) == (2, 3600.0, ("edgedata",))
    assert job.as_request()["options"] == {"time-to-teleport": 120}


@pytest.mark.parametrize(
    "window, has_one",
    [
        ({}, False),
        ({"window_begin": 0}, True),
        ({"window_end": 60}, True),
        ({"window_begin": 5, "window_end": 60}, True),
    ],
)
def test_a_window_has_one_end_or_two(window: dict[str, int], has_one: bool) -> None:
    assert JobDescription.parse(json.dumps(GOOD | window)).has_window is has_one


@pytest.mark.parametrize(
    "text, codes",
    [
        ("{", ["job.not_json"]),
        ("[]", ["job.version"]),
        (json.dumps(GOOD | {"v": 2}), ["job.version"]),
        (json.dumps(GOOD | {"seed": True, "scenario": 5}), ["job.bad_field"] * 5),
        (json.dumps(GOOD | {"outputs": 5, "options": [], "end": "late"}), ["job.bad_field"] * 3),
        (json.dumps(GOOD | {"outputs": [["a"]]}), ["job.bad_field"]),
        (json.dumps(GOOD | {"limits": GOOD["limits"] | {"wall_s": 0}}), ["job.bad_field"]),
        (json.dumps(GOOD).replace("3600", "NaN"), ["job.bad_field"]),
    ],
)
def test_everything_wrong_is_listed(text: str, codes: list[str]) -> None:
    with pytest.raises(RunEnd) as end:
        JobDescription.parse(text)
    assert end.value.outcome is Outcome.INVALID_JOB
    assert [problem.code for problem in end.value.problems] == codes
