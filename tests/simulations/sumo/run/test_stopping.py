"""When a run must stop, and why."""

import os
import signal
import time
from pathlib import Path

import pytest

from simulations.sumo.protocol.endings import Outcome, RunEnd
from simulations.sumo.run import stopping
from simulations.sumo.run.stopping import StopSignal, Watch, folder_bytes


def watch(folder: Path, stop: StopSignal | None = None, *, seconds: float = 60.0, allowed: int = 10) -> Watch:
    deadline = time.monotonic() + seconds
    return Watch(stop or StopSignal(), wall_deadline=deadline, folders=[folder], output_bytes=allowed, bytes_before=5)


def test_a_signal_ends_what_may_be_interrupted_and_is_remembered_elsewhere() -> None:
    stop = StopSignal()
    with pytest.raises(RunEnd) as end, stop.interruptible():
        stop._received(15, None)
    assert end.value.outcome is Outcome.INTERRUPTED
    first = stop.at
    stop._received(15, None)  # outside: nothing is raised, and the first one counts
    assert stop.at == first
    with pytest.raises(RunEnd), stop.interruptible():
        pytest.fail("it came before")


def test_it_hears_the_signals_themselves() -> None:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    stop = StopSignal()
    try:
        stop.install()
        with pytest.raises(RunEnd), stop.interruptible():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    assert stop.at is not None


def test_the_cause_of_a_stop(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 15)
    assert watch(tmp_path)() is None
    assert watch(tmp_path, seconds=-1)() is Outcome.TIME_LIMIT
    assert watch(tmp_path, allowed=9)() is Outcome.OUTPUT_LIMIT
    stop = StopSignal()
    stop._received(15, None)
    assert watch(tmp_path, stop, seconds=-1)() is Outcome.INTERRUPTED


def test_folders_are_not_measured_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = watch(tmp_path)
    assert asked() is None
    (tmp_path / "a").write_bytes(b"x" * 99)
    assert asked() is None
    monkeypatch.setattr(stopping, "LEAST_MEASURE_PERIOD_S", 0.0)
    asked._next_measure = 0.0
    assert asked() is Outcome.OUTPUT_LIMIT


def test_what_vanishes_meanwhile_counts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"x" * 7)
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    found = [*os.walk(tmp_path), (str(tmp_path), [], ["gone"])]
    monkeypatch.setattr(os, "walk", lambda folder: found)
    assert folder_bytes(tmp_path) == 7 + (tmp_path / "link").lstat().st_size
