"""A log for people: the runner's events as sentences, everything else untouched."""

import json

import pytest

from simulations.logtext import narrowed, readable

NOON = 1795435200


def line(**event: object) -> str:
    return json.dumps({"v": 1, "t": NOON, **event})


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (line(event="phase", phase="running", message="SUMO simulates."), "12:00:00  SUMO simulates."),
        (line(event="log", level="warning", message="Teleporting."), "12:00:00  WARNING: Teleporting."),
        (
            line(event="progress", sim_time=3661.0, percent=50.5, running=3, waiting=2, arrived=1),
            "12:00:00  1:01:01 simulated (50.5 %): 3 running, 2 waiting, 1 arrived",
        ),
        (line(event="result", outcome="succeeded", reason="All left."), "12:00:00  Outcome: succeeded. All left."),
        ("Traceback (most recent call last):", "Traceback (most recent call last):"),
        (line(event="new"), line(event="new")),
        ('{"t": "x", "event": "phase"}', '{"t": "x", "event": "phase"}'),
        ('{"t": 1e300, "event": "phase", "message": ""}', '{"t": 1e300, "event": "phase", "message": ""}'),
        ("[1]", "[1]"),
        ("[" * 9999, "[" * 9999),
        (line(event="log", level=7, message="x"), line(event="log", level=7, message="x")),
        (line(event=["phase"]), line(event=["phase"])),
    ],
)
def test_lines(written: str, shown: str) -> None:
    assert readable(f"{written}\nend") == f"{shown}\nend"


@pytest.mark.parametrize(
    ("find", "level", "shown"),
    [
        ("", "warning", "2: 12:00:00  WARNING: Teleporting.\n3: Error: No route."),
        ("", "error", "3: Error: No route."),
        ("TELE", "", "2: 12:00:00  WARNING: Teleporting."),
        ("tele", "error", ""),
        ("no", "odd", "1: 12:00:00  no error yet\n3: Error: No route."),
    ],
)
def test_lines_are_found_by_word_and_level(find: str, level: str, shown: str) -> None:
    log = "12:00:00  no error yet\n12:00:00  WARNING: Teleporting.\nError: No route."
    assert narrowed(log, find, level) == (shown, len(shown.splitlines()))
