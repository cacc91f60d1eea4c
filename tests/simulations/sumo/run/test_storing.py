"""Scenario in, results out: what each answer of the control plane means for the job."""

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome, RunEnd
from simulations.sumo.results.outputs import described
from simulations.sumo.run import fetching
from simulations.sumo.run.delivery import ResultUpload
from simulations.sumo.run.fetching import fetch_scenario
from simulations.sumo.run.report import Report
from simulations.sumo.run.transport import ControlPlane, RefusedByService, _signed
from tests.simulations.sumo.harness import TOKEN, FakeControlPlane
from tests.simulations.sumo.protocol.test_description import GOOD

SCENARIO = b"PK scenario"
SHA = hashlib.sha256(SCENARIO).hexdigest()


@pytest.fixture
def plane() -> Iterator[FakeControlPlane]:
    server = FakeControlPlane(SCENARIO)
    yield server
    server.close()


@pytest.fixture
def client(plane: FakeControlPlane) -> ControlPlane:
    return ControlPlane(plane.url, job_id="job", token=TOKEN, attempt=1, first_pause_s=0.01)


def test_a_scenario_arrives(client: ControlPlane, tmp_path: Path) -> None:
    fetch_scenario(client, tmp_path / "zip", sha256=SHA, deadline=time.monotonic() + 9)
    assert (tmp_path / "zip").read_bytes() == SCENARIO


def test_it_is_fetched_from_where_it_lies_and_again_if_it_was_cut(
    client: ControlPlane, plane: FakeControlPlane, tmp_path: Path
) -> None:
    plane.presigned = True
    cuts = ["cut"]
    plane.script = lambda method, path: cuts.pop() if cuts and path.startswith("/bucket/") else None
    fetch_scenario(client, tmp_path / "zip", sha256=SHA, deadline=time.monotonic() + 9)
    assert (tmp_path / "zip").read_bytes() == SCENARIO
    assert [path for _, path, _ in plane.requests] == ["/runner/jobs/job/scenario", "/bucket/scenario.zip"] * 2


@pytest.mark.parametrize(
    "answer, target, outcome, code",
    [
        (404, "zip", Outcome.INVALID_JOB, "fetch.refused"),
        (401, "zip", Outcome.INTERRUPTED, "fetch.refused"),
        (400, "zip", Outcome.IO_FAILED, "fetch.refused"),
        (503, "zip", Outcome.UNREACHABLE, "fetch.unreachable"),
        (None, "/dev/full", Outcome.IO_FAILED, "fetch.failed"),
        (None, "zip", Outcome.IO_FAILED, "fetch.wrong_hash"),
    ],
)
def test_what_keeps_it_from_arriving(
    client: ControlPlane, plane: FakeControlPlane, tmp_path: Path,
    answer: int | None, target: str, outcome: Outcome, code: str,
) -> None:  # fmt: skip
    plane.script = lambda method, path: answer
    with pytest.raises(RunEnd) as end:
        fetch_scenario(client, tmp_path / target, sha256="0" * 64, deadline=time.monotonic() + 0.1)
    assert (end.value.outcome, [problem.code for problem in end.value.problems]) == (outcome, [code])


def test_without_time_nobody_is_asked(client: ControlPlane, plane: FakeControlPlane, tmp_path: Path) -> None:
    with pytest.raises(RunEnd) as end:
        fetch_scenario(client, tmp_path / "zip", sha256=SHA, deadline=0.0)
    assert "no time was left to try" in end.value.problems[0].message
    assert plane.requests == []


def test_a_scenario_has_a_size_at_most(client: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_ARCHIVE_BYTES", 3)
    with pytest.raises(RunEnd) as end:
        fetch_scenario(client, tmp_path / "zip", sha256=SHA, deadline=time.monotonic() + 9)
    assert "The scenario is larger than 3 bytes." in end.value.problems[0].message


def delivered(client: ControlPlane, folder: Path, *, seconds: float = 9.0, lost: str = "") -> Report:
    report = Report(outcome=Outcome.SUCCEEDED)
    for name, content in (("large", b"x" * 50), ("small", b"x")):
        (folder / name).write_bytes(content)
        report.files.append(described(folder / name, name))
    (folder / lost).unlink() if lost else None
    deadline = time.monotonic() + seconds
    ResultUpload(client, report, deadline=lambda: deadline).deliver(JobDescription.parse(json.dumps(GOOD)), folder)
    return report


def test_results_are_stored_the_manifest_last(client: ControlPlane, plane: FakeControlPlane, tmp_path: Path) -> None:
    report = delivered(client, tmp_path)
    assert list(plane.artifacts) == ["small", "large", "manifest.json"]
    assert (report.uploaded, report.outcome) == (True, Outcome.SUCCEEDED)


@pytest.mark.parametrize(
    "answer, lost, code, outcome, stored",
    [
        (400, "", "upload.refused", Outcome.IO_FAILED, ["large", "manifest.json"]),
        (None, "small", "upload.failed", Outcome.IO_FAILED, ["large", "manifest.json"]),
        (410, "", "upload.job_over", Outcome.INTERRUPTED, []),
    ],
)
def test_a_file_that_is_not_stored_does_not_cost_the_others_unless_the_job_is_over(
    client: ControlPlane, plane: FakeControlPlane, tmp_path: Path,
    answer: int | None, lost: str, code: str, outcome: Outcome, stored: list[str],
) -> None:  # fmt: skip
    plane.script = lambda method, path: answer if path.endswith("/small") else None
    report = delivered(client, tmp_path, lost=lost)
    assert ([problem.code for problem in report.errors], report.outcome) == ([code], outcome)
    assert list(plane.artifacts) == stored
    assert not report.uploaded


def test_without_time_nothing_is_stored(client: ControlPlane, plane: FakeControlPlane, tmp_path: Path) -> None:
    report = delivered(client, tmp_path, seconds=0)
    assert [problem.where for problem in report.errors] == ["small", "large", "manifest.json"]
    assert plane.artifacts == {}


@pytest.mark.parametrize(
    "url, signed",
    [
        ("https://s3/a?X-Amz-SignedHeaders=host%3Bx-amz-checksum-sha256", {"x-amz-checksum-sha256": "AAE="}),
        ("https://s3/a?X-Amz-SignedHeaders=host", {}),
        ("https://s3/a", {}),
    ],
)
def test_a_checksum_is_sent_to_who_signed_for_it(url: str, signed: dict[str, str]) -> None:
    assert _signed(url, "0001") == signed


@pytest.mark.parametrize("url", ["ftp://a/b", "https:///b", "file:///etc/passwd"])
def test_a_redirect_to_another_kind_of_address_is_not_followed(client: ControlPlane, url: str) -> None:
    with pytest.raises(RefusedByService, match="Not an HTTP address"):
        client._connect(url, 1.0)
