"""What is read and packed after a run, from files as SUMO leaves them."""

import json
from pathlib import Path

import pytest

from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.endings import Outcome
from simulations.sumo.results.sumo_run import StepRecord, SumoRun
from simulations.sumo.run.collecting import STATISTICS, TRIPINFO, Collector, read_results, run_problems
from simulations.sumo.run.report import Report
from tests.simulations.sumo.protocol.test_description import GOOD
from tests.simulations.sumo.results.test_trips import trip

LAST = StepRecord(350, 0, 0, 0, 0, 0, 0, None, None, 0)
ENDED = SumoRun(0, "All vehicles have left the simulation.", sim_begin=0, sim_end=400, last=LAST)


def job(**other: object) -> JobDescription:
    return JobDescription.parse(json.dumps(GOOD | other))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / STATISTICS).write_text('<statistics><vehicles loaded="3" inserted="3"/></statistics>')
    trips = [trip(0), trip(150, took=30), trip(390, took=20, kind="bus")]
    (tmp_path / "out" / TRIPINFO).write_text(f"<tripinfos>{''.join(trips)}</tripinfos>")
    return tmp_path / "out"


@pytest.mark.parametrize(
    "window, run, finished, kinds",
    [
        ({}, ENDED, 3, {"car", "bus"}),
        ({"window_begin": 100}, ENDED, 2, {"car", "bus"}),
        ({"window_end": 200}, ENDED, 2, None),  # one kind needs no table
        ({"window_begin": 100, "window_end": 200}, ENDED, 1, None),
    ],
)
def test_figures_over_the_run_or_a_window_of_it(
    out: Path, window: dict[str, int], run: SumoRun, finished: int, kinds: set[str] | None
) -> None:
    report = Report(outcome=Outcome.SUCCEEDED)
    told = read_results(report, run, out, job=job(**window), demand=None)
    assert report.kpis["trips_finished"] == finished
    assert sum(told["travel_times.json"]["counts"]) == finished
    assert set(told.get("vehicle_types.json", {}).get("types", ())) == (kinds or set())


@pytest.mark.parametrize(
    "run, unfinished",
    [
        (SumoRun(sim_end=400), 1),  # planned for 300
        (SumoRun(last=LAST), 1),  # cut: the last step tells when; planned for 250
        (SumoRun(), 0),
    ],
)
def test_who_never_entered_is_placed_by_the_end_of_the_run(out: Path, run: SumoRun, unfinished: int) -> None:
    waiting = trip(-1, delay=100, took=0, arrives=False)
    (out / TRIPINFO).write_text(f"<tripinfos>{waiting}</tripinfos>")
    report = Report(outcome=Outcome.TIME_LIMIT)
    read_results(report, run, out, job=job(window_begin=100), demand=None)
    assert report.kpis["trips_unfinished"] == unfinished


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.TIME_LIMIT])
def test_what_cannot_be_read_gives_no_figures_and_is_an_error_of_a_success_only(out: Path, outcome: Outcome) -> None:
    (out / STATISTICS).unlink()
    (out / TRIPINFO).write_text("<tripinfos>")
    report = Report(outcome=outcome)
    assert read_results(report, SumoRun(), out, job=job(), demand=None) == {}
    assert not any(value for value in report.kpis.values())
    told = [(each.code, each.where) for each in (*report.errors, *report.warnings)]
    assert told == [("output.damaged", STATISTICS), ("output.damaged", TRIPINFO)]
    assert bool(report.errors) is (outcome is Outcome.SUCCEEDED)
    assert report.outcome is (Outcome.IO_FAILED if outcome is Outcome.SUCCEEDED else outcome)


@pytest.mark.parametrize("outcome", [Outcome.SUCCEEDED, Outcome.TIME_LIMIT])
def test_what_is_packed_and_what_is_damaged(out: Path, outcome: Outcome) -> None:
    report, folder = Report(outcome=outcome), out.parent / "artifacts"
    scenario = out.parent / "scenario"
    (scenario / "own").mkdir(parents=True)
    for name, content in (("own/a.xml", "<a/>"), ("own/cut.xml", "<a>"), ("bad\nname.xml", "<a/>")):
        (scenario / name).write_text(content)
    (out / "queue.xml").write_text("<queue>")
    collector = Collector(report, folder)
    collector.collect_own(out, folder / "sumo.log", b"<c/>", {"travel_times.json": {"counts": []}})
    collector.collect_scenarios_own(scenario, ["own/a.xml", "own/cut.xml", "bad\nname.xml", "own/gone.xml"])
    assert {file.name: file.intact for file in report.files} == {
        "travel_times.json": None, "effective.sumocfg": None, "queue.xml.gz": False, "statistics.xml.gz": True,
        "tripinfo.xml.gz": True, "scenario/own/a.xml.gz": True, "scenario/own/cut.xml.gz": False,
    }  # fmt: skip
    harmless = [("output.damaged", "scenario/own/cut.xml.gz"), ("output.name", "'bad\\nname.xml'")]
    told = [(each.code, each.where) for each in report.warnings]
    if outcome is Outcome.SUCCEEDED:  # the disk was full
        assert [(each.code, each.where) for each in report.errors] == [("output.damaged", "queue.xml.gz")]
        assert told == [*harmless, ("output.not_packed", "scenario/own/gone.xml")]
    else:
        assert told == [
            ("output.damaged", "queue.xml.gz"), *harmless, ("output.not_packed", "scenario/own/gone.xml"),
        ]  # fmt: skip


def test_a_log_is_taken_and_without_a_run_there_is_nothing_else(tmp_path: Path) -> None:
    for name in ("out", "artifacts"):
        (tmp_path / name).mkdir()
    log = tmp_path / "artifacts" / "sumo.log"
    log.write_text("Error: no\n")
    report = Report()
    Collector(report, log.parent).collect_own(tmp_path / "out", log, None, {})
    assert [(file.name, file.bytes) for file in report.files] == [("sumo.log", 10)]


@pytest.mark.parametrize(
    "run, told",
    [
        (ENDED, []),
        (SumoRun(stopped_for=Outcome.TIME_LIMIT, sim_end=60.0, last=LAST),
         ["limit.wall_time: The time limit was reached at simulated second 60; the results up to there are kept."]),
        (SumoRun(stopped_for=Outcome.TIME_LIMIT),
         ["limit.wall_time: The time limit was reached; before the first step, so there are no results."]),
        (SumoRun(stopped_for=Outcome.OUTPUT_LIMIT, last=LAST),
         ["limit.output: The run wrote more than it may; the results up to there are kept."]),
        (SumoRun(reason="Too many teleports.", sim_end=60.0),
         ["limit.teleports: More vehicles were teleported than the limit allows at simulated second 60."]),
        (SumoRun(-9, out_of_memory=True),
         ["limit.memory: SUMO ran out of memory. Ask for more memory, or simulate less."]),
        (SumoRun(reason="Interrupted."), ["run.interrupted: The run was stopped from outside."]),
        (SumoRun(1, errors=["no edge", "no type"]), ["sumo.load: no edge", "sumo.load: no type"]),
        (SumoRun(-11), ["sumo.crashed: SUMO crashed (signal 11)."]),
        (SumoRun(139), ["sumo.crashed: SUMO crashed (exit code 139)."]),
        (SumoRun(1, errors=["jumps"], last=LAST), ["sumo.run: jumps"]),
        (SumoRun(0, "An error occurred."), ["sumo.run: SUMO ended early: An error occurred.."]),
        (SumoRun(0), ["sumo.run: SUMO ended early: without a reason."]),
    ],
)  # fmt: skip
def test_why_a_run_did_not_succeed(run: SumoRun, told: list[str]) -> None:
    assert [f"{problem.code}: {problem.message}" for problem in run_problems(run)] == told
