"""What one follower of a log sees, with a reader of its own making."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import OperationalError

from clusterops.api import log_followers
from clusterops.api.log_reader import Kind, LogLine, Position


class Script:
    """A reader that gives what is written here, one step a read; an exception is raised. Lines have a second each."""

    def __init__(self, *steps: list[str] | Exception) -> None:
        self._steps = list(steps)
        self._second = 0

    def read(self) -> list[LogLine]:
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return [self._line(text) for text in step]

    def _line(self, text: str) -> LogLine:
        if text.startswith("# The job has ended"):
            return LogLine(text, kind=Kind.END)
        if text.startswith("# ") or text.startswith("stored"):
            return LogLine(text, kind=Kind.NOTE if text.startswith("# ") else Kind.LINE)
        self._second += 1
        return LogLine(text, at(self._second))

    @property
    def ended(self) -> bool:
        return not self._steps


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(log_followers, "POLL_S", 0.02)
    monkeypatch.setattr(log_followers, "close_old_connections", lambda: None)
    before = threading.active_count()
    yield
    deadline = time.monotonic() + 10
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.01)


def at(second: int, nth: int = 1) -> Position:
    return Position(f"2026-01-01T00:00:{second:02}.000000000", nth)


def followed(
    script: Script, tail: int = 500, after: Position | None = None, ending: Callable[[], bool] = lambda: False
) -> list[str]:
    shared = log_followers.SharedLog(script, lambda _, ended: ended, ending)  # type: ignore[arg-type]
    threading.Thread(target=shared.run, daemon=True).start()
    return [line.text.removesuffix("\n") for lines in shared.lines(tail, after) for line in lines]


def test_the_sign_of_life_comes_after_its_time_not_with_every_look() -> None:
    silent: list[list[str]] = [[] for _ in range(20)]
    assert followed(Script(["one\n"], *silent, ["two\n", "# The job has ended.\n"]), 500) == [
        "one",
        "two",
        "# The job has ended.",
    ]


def test_silence_has_its_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_followers, "SIGN_OF_LIFE_S", 0.1)
    silent: list[list[str]] = [[] for _ in range(40)]
    assert "# Nothing new; still following." in followed(Script(["one\n"], *silent, ["two\n"]), 500)


@pytest.mark.parametrize(("tail", "seen"), [(1, ["c"]), (2, ["b", "c"]), (5, ["a", "b", "c"])])
def test_tail_counts_the_jobs_own_lines(tail: int, seen: list[str]) -> None:
    shown = followed(Script(["a\n", "b\n", "c\n", "# The job has ended.\n"]), tail)
    assert shown == [*seen, "# The job has ended."]


ENDED = "# The job has ended: SUCCEEDED."


@pytest.mark.parametrize(
    ("after", "seen"),
    [
        (at(1), ["b", "# moved", "c", ENDED]),
        (at(1, 2), ["b", "# moved", "c", ENDED]),
        (at(2), ["# moved", "c", ENDED]),
        (at(0), ["a", "b", "# moved", "c", ENDED]),
        (at(9), [ENDED]),
    ],
)
def test_one_that_was_cut_off_goes_on_where_it_was(after: Position, seen: list[str]) -> None:
    assert followed(Script(["a\n", "b\n", "# moved\n", "c\n", f"{ENDED}\n"]), tail=1, after=after) == seen


def test_what_is_stored_has_no_places_and_says_so() -> None:
    shown = followed(Script(["stored a\n", "stored b\n", f"{ENDED}\n"]), after=at(5))
    assert "may have been told before" in shown[0]
    assert shown[1:] == ["stored a", "stored b", ENDED]


def test_more_was_written_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_followers, "KEPT_LINES", 2)
    shown = followed(Script(["a\n", "b\n", "c\n", f"{ENDED}\n"]), after=at(1))
    assert shown == ["# Lines may be missing here: more were written than are kept.", "c", ENDED]


@pytest.mark.parametrize(
    ("error", "why"),
    [(OperationalError("gone"), "the database does not answer"), (KeyError("x"), "it could not be read any further")],
)
def test_a_log_that_is_cut_off_says_so_and_where_to_go_on(
    error: Exception, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert followed(Script(["a\n", "b\n"], error)) == [
        "a",
        "b",
        f"# Cut off here, since {why}. Go on with ?follow=1&since=2026-01-01T00:00:02.000000000Z~1",
    ]
    assert caplog.records


def test_a_cut_before_the_first_line_keeps_the_place_asked_for() -> None:
    asked = at(7)
    assert followed(Script(OperationalError("gone")), after=asked)[-1].endswith(f"since={asked}")
    assert followed(Script(OperationalError("gone")))[-1].endswith("Go on with ?follow=1")


def test_a_server_that_is_about_to_end_cuts_its_logs_off_with_a_word() -> None:
    reads: list[int] = []

    def ending() -> bool:
        reads.append(1)
        return len(reads) > 2

    shown = followed(Script(["a\n"], [], []), ending=ending)
    assert shown[0] == "a"
    assert "this server is being restarted" in shown[-1]
