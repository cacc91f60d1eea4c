"""What one follower of a log sees, with a reader of its own making."""

import threading
import time
from collections.abc import Iterator

import pytest

from clusterops.api import tails


class Script:
    """A reader that gives what is written here, one step a read."""

    def __init__(self, *steps: list[str]) -> None:
        self._steps = list(steps)

    def read(self) -> list[str]:
        return self._steps.pop(0)

    @property
    def ended(self) -> bool:
        return not self._steps


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tails, "POLL_S", 0.02)
    monkeypatch.setattr(tails, "close_old_connections", lambda: None)
    before = threading.active_count()
    yield
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)


def followed(script: Script, tail: int) -> list[str]:
    shared = tails.Tail(script, lambda _, ended: ended)  # type: ignore[arg-type]
    threading.Thread(target=shared.run, daemon=True).start()
    return "".join(shared.lines(tail)).splitlines()


def test_the_sign_of_life_comes_after_its_time_not_with_every_look() -> None:
    silent: list[list[str]] = [[] for _ in range(20)]
    assert followed(Script(["one\n"], *silent, ["two\n", "# The job has ended.\n"]), 500) == [
        "one",
        "two",
        "# The job has ended.",
    ]


def test_silence_has_its_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tails, "SIGN_OF_LIFE_S", 0.1)
    silent: list[list[str]] = [[] for _ in range(40)]
    assert "# Nothing new; still following." in followed(Script(["one\n"], *silent, ["two\n"]), 500)


@pytest.mark.parametrize(("tail", "seen"), [(1, ["c"]), (2, ["b", "c"]), (5, ["a", "b", "c"])])
def test_tail_counts_the_jobs_own_lines(tail: int, seen: list[str]) -> None:
    shown = followed(Script(["a\n", "b\n", "c\n", "# The job has ended.\n"]), tail)
    assert shown == [*seen, "# The job has ended."]
