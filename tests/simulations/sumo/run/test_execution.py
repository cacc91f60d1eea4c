"""The supervisor alone: SUMO's real binary where it can show the case, a shell script where it cannot."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulations.sumo.protocol.endings import EXIT_CODES, Outcome
from simulations.sumo.results.sumo_run import StepRecord, SumoRun
from simulations.sumo.run import cgroup, execution
from simulations.sumo.run.execution import Supervisor
from simulations.sumo.run.transcript import parse_step
from tests.simulations.sumo.harness import ROOT, wait_for

STEP = (
    '    <step time="60.00" loaded="103" inserted="30" running="26" waiting="1" ended="4" arrived="4" collisions="0" '
    'teleports="0" halting="2" stopped="1" meanWaitingTime="0.13" meanTravelTime="25.00" meanSpeed="9.30" '
    'meanSpeedRelative="0.67" discarded="0" duration="0"/>'
)


def test_the_longest_standstill() -> None:
    """Half of those under way halt and none arrives; an arrival begins it anew, an empty network has none."""
    run = SumoRun()
    steps = [
        (0, 10, 5, 0),
        (60, 10, 9, 0),
        (120, 10, 9, 1),
        (180, 10, 9, 1),
        (240, 10, 4, 1),
        (300, 4, 2, 1),
        (390, 4, 4, 1),
        (900, 0, 0, 5),
    ]
    for time_s, running, halting, arrived in steps:
        run.note(StepRecord(time_s, running, halting, 0, 10, arrived, 0, 1.0, None, 0))
    assert (run.standstill_s, run.peak_running, SumoRun().standstill_s) == (90, 10, None)


@pytest.mark.parametrize("stopped, longest", [(0, 600), (4, 600), (5, 0), (10, 0)])
def test_who_waits_at_a_stop_of_the_plan_does_not_stand_still(stopped: int, longest: float) -> None:
    """Ten under way, seven at rest: trains at their platforms are no jam."""
    run = SumoRun()
    for time_s in (0, 600):
        run.note(StepRecord(time_s, 10, 7, 0, 10, 0, 0, 1.0, None, 0, stopped))
    assert run.standstill_s == longest


def test_parse_step() -> None:
    assert parse_step(STEP) == StepRecord(60.0, 26, 2, 1, 30, 4, 0, 9.3, 25.0, 0, 1)
    for odd in ("-1.00", "nan", "inf"):
        assert parse_step(STEP.replace("9.30", odd)).mean_speed is None


@pytest.mark.parametrize(
    "scale, discarded, least",
    [(1, 7, 7), (2, 7, 7), (0.5, 10, 0), (0.5, 20, 3), (0.9, 8, 5)],
)
def test_of_those_discarded_some_were_thinned_out(scale: float, discarded: int, least: int) -> None:
    """Of 10 that entered, 2 that wait and those discarded, the share beyond `scale`, and at most one more."""
    assert StepRecord(60.0, 5, 1, 2, 10, 3, 0, 8.5, 60.0, discarded).dropped_at_least(scale) == least


@pytest.mark.parametrize("line", ["", "<summary>", "Reason: x", STEP[:90], STEP.replace('"26"', '"many"')])
def test_other_lines_are_no_step(line: str) -> None:
    assert parse_step(line) is None


ALL_LEFT = "All vehicles have left the simulation."
FINAL_STEP = "The final simulation step has been reached."


@pytest.mark.parametrize(
    "run, outcome",
    [
        (SumoRun(0, ALL_LEFT), Outcome.SUCCEEDED),
        (SumoRun(0, FINAL_STEP), Outcome.SUCCEEDED),
        (SumoRun(0, FINAL_STEP, stopped_for=Outcome.TIME_LIMIT), Outcome.SUCCEEDED),
        (SumoRun(0, None), Outcome.SUMO_FAILED),
        (SumoRun(0, "TraCI requested termination."), Outcome.SUMO_FAILED),
        (SumoRun(0, "An error occurred (see log)."), Outcome.SUMO_FAILED),
        (SumoRun(0, "Too many teleports."), Outcome.TOO_MANY_TELEPORTS),
        (SumoRun(0, "Interrupted."), Outcome.INTERRUPTED),
        (SumoRun(0, "Interrupted.", stopped_for=Outcome.TIME_LIMIT), Outcome.TIME_LIMIT),
        (SumoRun(-9, None, stopped_for=Outcome.OUTPUT_LIMIT), Outcome.OUTPUT_LIMIT),
        (SumoRun(1, None), Outcome.SUMO_FAILED),
        (SumoRun(1, ALL_LEFT), Outcome.SUMO_FAILED),
        (SumoRun(1, None, errors=["no such edge"]), Outcome.INVALID_SCENARIO),
        (SumoRun(1, None, errors=["no such edge"], last=parse_step(STEP)), Outcome.SUMO_FAILED),
        (SumoRun(-9, None), Outcome.SUMO_CRASHED),
        (SumoRun(-11, None), Outcome.SUMO_CRASHED),
        (SumoRun(139, None), Outcome.SUMO_CRASHED),
        (SumoRun(127, None), Outcome.INTERNAL),
        (SumoRun(-9, None, out_of_memory=True), Outcome.OUT_OF_MEMORY),
        (SumoRun(-6, None, out_of_memory=True), Outcome.OUT_OF_MEMORY),
    ],
)
def test_the_reason_decides_not_the_exit_code(run: SumoRun, outcome: Outcome) -> None:
    assert run.outcome is outcome


def test_every_outcome_has_its_own_exit_code() -> None:
    assert set(EXIT_CODES) == set(Outcome)
    assert len(set(EXIT_CODES.values())) == len(Outcome)


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., tuple[SumoRun, str, list[tuple[str, str]]]]:
    def run(body: str, stop: Outcome | None = None, grace_s: float = 20) -> tuple[SumoRun, str, list[tuple[str, str]]]:
        path = tmp_path / "sumo"
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        log, messages = io.StringIO(), []
        ready = tmp_path / "ready"
        supervisor = Supervisor(
            log=log,
            should_stop=lambda: stop if ready.exists() else None,
            on_message=lambda level, text: messages.append((level, text)),
            grace_s=grace_s,
        )
        result = supervisor.execute([str(path)], cwd=tmp_path, environment={"PATH": os.environ["PATH"]})
        return result, log.getvalue(), messages

    return run


def test_messages_are_sorted_bounded_and_counted(script: Callable) -> None:
    warn = "i=0; while [ $i -lt 500 ]; do echo Warning: number $i >&2; i=$((i+1)); done"
    run, log, messages = script(
        f"{warn}\nprintf 'Error: no such edge\\n in route 5.\\nQuitting (on error).\\n' >&2; exit 1"
    )
    assert run.errors == ["no such edge in route 5."]
    assert (run.warnings_total, len(run.warnings)) == (500, 100)
    assert messages[-1] == ("error", "no such edge")
    assert "number 499" in log


@pytest.mark.parametrize(
    "body", ["echo 'Out of memory: realloc of size 4 failed' >&2; exit 134", "echo std::bad_alloc >&2; kill -ABRT $$"]
)
def test_a_failed_allocation_is_out_of_memory(script: Callable, body: str) -> None:
    assert script(body)[0].outcome is Outcome.OUT_OF_MEMORY


def test_a_kill_without_evidence_is_not_called_out_of_memory(script: Callable) -> None:
    assert script("kill -KILL $$")[0].outcome is Outcome.SUMO_CRASHED


@pytest.mark.parametrize(
    "counter",
    ["low 0\nmax 3\noom 1\noom_kill %d\n", "oom_kill_disable 0\nunder_oom 0\noom_kill %d\n"],
    ids=["v2", "v1"],
)
def test_a_kill_that_the_cgroup_counted_is_out_of_memory(
    script: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counter: str
) -> None:
    counted = tmp_path / "counter"
    counted.write_text(counter % 1)
    monkeypatch.setattr(cgroup, "COUNTERS", (tmp_path / "missing", counted))
    assert script("kill -KILL $$")[0].outcome is Outcome.SUMO_CRASHED  # that was an earlier one
    (tmp_path / "later").write_text(counter % 2)
    assert script("cp later counter; kill -KILL $$")[0].outcome is Outcome.OUT_OF_MEMORY


def test_where_nothing_is_counted_no_kill_is_one_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "COUNTERS", (tmp_path / "missing", tmp_path / "too"))
    assert cgroup.oom_kills() == 0


def test_lines_are_taken_as_they_come_and_none_grows_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "MAX_LINE_BYTES", 4)
    heard: list[str] = []
    assert Supervisor._split(b"a\r\nb\xff\nc", heard.append, last=False) == b"c"
    assert Supervisor._split(b"12345", heard.append, last=False) == b""
    assert Supervisor._split(b"end", heard.append, last=True) == b""
    assert Supervisor._split(b"", heard.append, last=True) == b""
    assert heard == ["a", "b\ufffd", "12345", "end"]


def test_a_mistake_of_ours_leaves_no_sumo_behind(tmp_path: Path) -> None:
    def should_stop() -> Outcome | None:
        raise RuntimeError("ours")

    supervisor = Supervisor(log=io.StringIO(), should_stop=should_stop)
    command = ["/bin/sh", "-c", "echo $$ > child; echo 'Warning: begun' >&2; exec sleep 600"]
    with pytest.raises(RuntimeError, match="ours"):
        supervisor.execute(command, cwd=tmp_path, environment={"PATH": "/usr/bin:/bin"})
    child = int((tmp_path / "child").read_text())
    assert not _alive(child)
    execution._signal_group(child, signal.SIGKILL)  # it has ended already: nothing to do


def test_one_that_says_no_more_is_still_waited_for(script: Callable) -> None:
    run, _, _ = script("echo 'Error: the last word' >&2; exec >&- 2>&-; sleep 0.1; exit 3")
    assert (run.returncode, run.errors) == (3, ["the last word"])


def test_exactly_one_sigterm_is_sent(script: Callable) -> None:
    wait = "i=0; while [ $i -lt 12 ]; do sleep 0.1; i=$((i+1)); done"
    run, log, _ = script(f"trap 'echo got it >&2' TERM; echo '{STEP}'; touch ready; {wait}", stop=Outcome.TIME_LIMIT)
    assert log.count("got it") == 1
    assert run.outcome is Outcome.TIME_LIMIT


def test_before_the_first_step_it_is_killed_at_once(script: Callable) -> None:
    """SUMO forgets a SIGTERM that comes while it starts, and runs on."""
    run, _, _ = script("trap '' TERM; touch ready; while :; do sleep 0.1; done", stop=Outcome.TIME_LIMIT)
    assert (run.returncode, run.outcome) == (-signal.SIGKILL, Outcome.TIME_LIMIT)
    assert run.wall_s < 15


def test_what_ignores_sigterm_is_killed_after_the_grace(script: Callable) -> None:
    run, _, _ = script(
        f"trap '' TERM; echo '{STEP}'; touch ready; while :; do sleep 0.1; done", stop=Outcome.INTERRUPTED, grace_s=0.3
    )
    assert run.returncode == -signal.SIGKILL
    assert run.outcome is Outcome.INTERRUPTED


def test_resources_of_the_child_are_measured(script: Callable) -> None:
    run, _, _ = script("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    assert run.cpu_s > 0
    assert run.peak_rss_mb > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")
def test_sumo_does_not_outlive_a_killed_runner(tmp_path: Path) -> None:
    code = f"""
import io, pathlib
from simulations.sumo.run.execution import Supervisor
Supervisor(log=io.StringIO(), should_stop=lambda: None).execute(
    ["/bin/sh", "-c", "echo $$ > child.tmp; mv child.tmp child; exec sleep 600"],
    cwd=pathlib.Path({str(tmp_path)!r}), environment={{"PATH": "/usr/bin:/bin"}})
"""
    runner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    child = tmp_path / "child"
    wait_for(child.exists)
    runner.kill()
    runner.wait()
    wait_for(lambda: not _alive(int(child.read_text())))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_the_real_binary_reports_version_times_and_reason(
    tmp_path: Path, tiny_net: str, sumo_environment: dict[str, str]
) -> None:
    (tmp_path / "net.xml").write_text(tiny_net)
    records: list[StepRecord] = []
    supervisor = Supervisor(
        log=io.StringIO(), should_stop=lambda: None, on_record=lambda record, line: records.append(record)
    )
    options = "-n net.xml --begin 100 --end 400 --verbose true --no-step-log true --summary-output stdout"
    command = [sumo_environment["SUMO_BINARY"], *options.split(), "--summary-output.period", "60"]
    run = supervisor.execute(command, cwd=tmp_path, environment=sumo_environment)
    assert run.outcome is Outcome.SUCCEEDED
    assert run.sumo_version == "1.28.0"
    assert (run.sim_begin, run.sim_end) == (100.0, 400.0)
    assert [record.time for record in records] == [100, 160, 220, 280, 340]
    assert time.monotonic() > run.wall_s > 0
