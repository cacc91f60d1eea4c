"""What is made of SUMO's lines, without SUMO."""

import io

import pytest

from simulations.sumo.run import transcript
from simulations.sumo.run.transcript import Transcript
from tests.simulations.sumo.run.test_execution import STEP


def heard(*, out: str = "", err: str = "") -> tuple[Transcript, str, list[object]]:
    log, told = io.StringIO(), []
    found = Transcript(
        log,
        on_record=lambda record, line: told.append(record.time),
        on_message=lambda level, text: told.append((level, text)),
    )
    for line in out.splitlines():
        found.stdout_line(line)
    for line in err.splitlines():
        found.stderr_line(line)
    return found, log.getvalue(), told


def test_times_and_reason_of_a_run() -> None:
    found, log, told = heard(
        out=f"Simulation version 1.28.0 started with time: 100.00.\n\n<summary>\n{STEP}\nReason: too early to be one.\n"
        "Simulation ended at time: 400.00.\nReason: All vehicles have left the simulation. \n"
    )
    run = found.run
    assert (run.sumo_version, run.sim_begin, run.sim_end) == ("1.28.0", 100.0, 400.0)
    assert run.reason == "All vehicles have left the simulation."
    assert told == [60.0]
    assert "Reason: too early" in log
    assert "<" not in log  # steps are in files of their own


def test_a_time_that_is_none_is_not_known() -> None:
    found, _, _ = heard(out="Simulation version 1.28.0 started with time: soon.\n" + STEP.replace("60.00", "nan"))
    assert (found.run.sim_begin, found.run.last) == (None, None)


def test_messages_go_on_over_lines_that_are_indented() -> None:
    found, log, told = heard(
        err="Warning: Vehicle 'a' waits\n for long.\n\nError: No edge\n  'x'\n  in route 5.\n"
        "Quitting (on error).\n more\n"
    )
    assert (found.run.warnings, found.run.errors) == (["Vehicle 'a' waits for long."], ["No edge 'x' in route 5."])
    assert told == [("warning", "Vehicle 'a' waits"), ("error", "No edge")]
    assert log.endswith("Quitting (on error).\n more\n")


def test_messages_are_bounded_in_length_and_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "KEPT_MESSAGES", 1)
    found, _, told = heard(err=f"Error: {'x' * 2000}\n more\nError: second\n more\n")
    assert found.run.errors == ["x" * transcript.MAX_MESSAGE_CHARS]
    assert told[1:] == [("error", "second")]


@pytest.mark.parametrize(
    "lines, lost",
    [
        (["Warning: Route file should be sorted by departure time, ignoring 'a'!"] * 3, 3),
        (
            ["Warning: Route file should be sorted by departure time, ignoring 'a'!"] * 2
            + ["Warning: 30 total messages of type: Route file should be sorted by departure time, ignoring '%'!"],
            30,
        ),
        (["Warning: something else", "Error: Route file should be sorted by departure time"], 0),
    ],
)
def test_vehicles_that_an_unsorted_file_loses(lines: list[str], lost: int) -> None:
    assert heard(err="\n".join(lines))[0].run.unsorted == lost


def test_the_log_is_cut_at_its_bound_but_errors_and_the_end_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcript, "MAX_LOG_BYTES", 60)
    _, log, _ = heard(err="Warning: 20 characters..\n" * 5 + "Error: it ended\n" * 9)
    assert log.splitlines() == ["Warning: 20 characters.."] * 2 + ["(the log is cut here)"] + ["Error: it ended"] * 4
