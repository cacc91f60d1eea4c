"""What the runner writes: its lines, the manifest and the short message, and that they keep their bounds."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest

from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.protocol.report import MAX_MESSAGE_BYTES, read_message
from simulations.sumo.results.outputs import ResultFile
from simulations.sumo.results.sumo_run import StepRecord, SumoRun
from simulations.sumo.run import report as reports
from simulations.sumo.run.report import Console, Report
from tests.simulations.sumo.protocol.test_description import GOOD

JOB = JobDescription.parse(json.dumps(GOOD))


def test_messages_of_a_level_are_told_up_to_a_bound() -> None:
    stream = io.StringIO()
    console = Console(stream)
    for number in range(reports.LOG_LINES_PER_LEVEL + 3):
        console.log("warning", f"{number} {'x' * 999}")
    console.log("error", "boom")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert len(lines) == reports.LOG_LINES_PER_LEVEL + 2
    assert len(lines[0]["message"]) == reports.LOG_LINE_CHARS
    assert lines[-2]["message"] == "More messages of level warning are in sumo.log only."
    assert (lines[-1]["level"], lines[-1]["message"]) == ("error", "boom")


def test_who_reads_the_log_hears_whether_we_are_reached_and_may_go() -> None:
    stream = io.StringIO()
    console = Console(stream)
    console.reaches("web does not answer")
    console.reaches(None)
    assert [json.loads(line)["phase"] for line in stream.getvalue().splitlines()] == ["unreachable", "reachable"]
    went_on = False
    with suppress(OSError), Path("/dev/full").open("w") as full:  # what is left of it is written as it is closed
        Console(full).phase("running", "SUMO simulates.")
        went_on = True
    assert went_on


def test_the_first_end_counts_unless_it_was_a_success() -> None:
    report = Report()
    report.end(Outcome.SUCCEEDED)
    assert report.complete
    report.end(Outcome.IO_FAILED, [Problem("a", "first")])
    report.end(Outcome.INTERNAL, [Problem("a", "first"), Problem("b", "second")])
    assert (report.outcome, report.complete) == (Outcome.IO_FAILED, False)
    assert [problem.code for problem in report.errors] == ["a", "b"]


LAST = StepRecord(350, 0, 0, 0, 0, 0, 0, None, None, 0)
DRY = SumoRun(sumo_version="1.28.0", wall_s=1.234, peak_rss_mb=90.0)


@pytest.mark.parametrize(
    "run, dry_run, facts",
    [
        (None, None, (None, None, 0.0, None, None)),
        (None, DRY, (None, None, 90.0, 1.23, "1.28.0")),
        (SumoRun(returncode=1, peak_rss_mb=20.04), DRY, (1, None, 90.0, 1.23, "1.28.0")),
        (SumoRun(last=LAST, peak_rss_mb=99.95, sumo_version="2"), DRY, (0, 350, 100.0, 1.23, "2")),
        (SumoRun(last=LAST, sim_end=400.0), None, (0, 400.0, 0.0, None, None)),
    ],
)
def test_facts_of_the_run(run: SumoRun | None, dry_run: SumoRun | None, facts: tuple[object, ...]) -> None:
    report = Report(run=run, dry_run=dry_run)
    found = report.run_facts()
    names = ("exit_code", "sim_end", "peak_rss_mb", "preflight_s")
    assert (*(found[name] for name in names), report.sumo_version) == facts


def test_a_manifest_lists_fewer_files_rather_than_more_than_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = ResultFile("a.xml.gz", Path("a"), 1, 2, True, "0" * 64)
    report = Report(outcome=Outcome.SUCCEEDED, files=[file] * 40)
    assert len(json.loads(report.manifest(JOB))["files"]) == 40
    monkeypatch.setattr(reports, "MAX_MANIFEST_BYTES", 3_000)
    assert len(json.loads(report.manifest(JOB))["files"]) == 10
    monkeypatch.setattr(reports, "MAX_MANIFEST_BYTES", 10)
    assert json.loads(report.manifest(JOB))["files"] == []


@pytest.mark.parametrize("length, kept", [(10, 10), (3000, 300), (30_000, 300)])
def test_a_message_is_shortened_until_it_fits(tmp_path: Path, length: int, kept: int) -> None:
    report = Report(outcome=Outcome.SUMO_FAILED, errors=[Problem("a", "x" * length, "w" * length)])
    report.write_termination_message(tmp_path / "message")
    [error] = json.loads((tmp_path / "message").read_text())["errors"]
    assert (len(error["message"]), len(error["where"])) == (kept, kept)


def test_many_long_errors_are_cut_to_what_kubernetes_keeps(tmp_path: Path) -> None:
    report = Report(outcome=Outcome.SUMO_FAILED, errors=[Problem(f"c{n}", "é" * 500, "ü" * 500) for n in range(9)])
    report.write_termination_message(tmp_path / "message")
    text = (tmp_path / "message").read_bytes()
    assert len(text) <= MAX_MESSAGE_BYTES
    read = read_message(text.decode())
    assert read is not None
    assert [error["code"] for error in read["errors"]] == ["c0", "c1", "c2", "c3", "c4"]
    report.kpis = {f"figure_{n}": None for n in range(400)}  # type: ignore[assignment]
    report.write_termination_message(tmp_path / "gone" / "message")  # nobody can be told: no reason to fail
    report.write_termination_message(tmp_path / "long")
    assert [error["message"] for error in json.loads((tmp_path / "long").read_text())["errors"]] == [""] * 5
