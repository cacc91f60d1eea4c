"""Places in a log, and logs as server-sent events."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.events import events
from clusterops.api import log_formats
from clusterops.api.log_reader import ANY, Kind, LogLine, Position, comparable, note, stamped

AT = "2026-01-01T00:00:00.100000000"


@pytest.mark.parametrize(
    ("stamp", "seen"),
    [
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000000"),
        ("2026-01-01T00:00:00.1Z", AT),
        ("2026-01-01T08:00:00.1+08:00", AT),  # a node that keeps its own time
        ("2025-12-31T19:00:00.1-05:00", AT),
    ],
)
def test_stamps_compare_as_times_do(stamp: str, seen: str) -> None:
    assert comparable(stamp) == seen


@pytest.mark.parametrize("text", ["", "x", "2026-01-01", f"{AT}", f"{AT}Z~", f"{AT}Z~x", "2026-13-01T00:00:00+01:00"])
def test_what_is_no_place(text: str) -> None:
    with pytest.raises(ValueError):
        Position.parse(text)


def test_a_moment_is_the_last_line_that_it_may_have() -> None:
    assert Position.parse("2026-01-01T00:00:00.1Z") == Position(AT, ANY)
    assert Position.parse(f"{AT}Z~2").time == datetime(2026, 1, 1, tzinfo=UTC)


@given(st.datetimes(), st.integers(1, 999_999))
def test_a_place_comes_back_from_its_text(moment: datetime, nth: int) -> None:
    place = Position(comparable(moment.isoformat() + "Z"), nth)
    assert Position.parse(str(place)) == place
    assert place < Position(place.at, nth + 1)


def test_lines_after_a_place() -> None:
    text = f"rest of a long line\n{AT}Z a\n{AT}Z b\n2026-01-01T00:00:01Z c"
    every = list(stamped(text))
    assert [line.text for line in every] == ["a\n", "b\n", "c\n"]
    assert [line.position and line.position.nth for line in every] == [1, 2, 1]
    for number, line in enumerate(every):
        assert list(stamped(text, line.position)) == every[number + 1 :]
    assert [line.text for line in stamped(text, Position.parse("2026-01-01T00:00:00.1Z"))] == ["c\n"]


TEXTS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n\r"), max_size=30)


@given(st.lists(TEXTS, max_size=5))
def test_events_come_back_as_lines(texts: list[str]) -> None:
    lines = [LogLine(f"{text}\n", Position(AT, number)) for number, text in enumerate(texts, 1)]
    end = [note("Nothing new.", Kind.LIFE), note("Moved.", Kind.NOTE), note("The end.", Kind.END)]
    sent = log_formats.events(str)([*lines, *end])
    got = list(events([sent.encode()]))
    assert [(event["id"], event["data"]) for event in got[: len(texts)]] == [
        (f"{AT}Z~{number}", text) for number, text in enumerate(texts, 1)
    ]
    assert [event["event"] for event in got[len(texts) :]] == ["life", "note", "end"]
    assert got[-1] == {"id": log_formats.ENDED, "event": "end", "data": "The end."}


def test_an_event_that_was_cut_off_is_none() -> None:
    sent = log_formats.events(str)([LogLine("a\n", Position(AT, 1)), LogLine("b\n", Position(AT, 2))]).encode()
    for cut in range(len(sent)):
        got = list(events(sent[:cut].splitlines(keepends=True)))
        assert len(got) == (cut >= sent.index(b"\n\n") + 2)
