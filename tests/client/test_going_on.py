"""The client goes on by itself when the service was away for a moment."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from client import ApiProblem, Client, Job, transport

ERROR = {"error": {"code": "database_unreachable", "message": "The database does not answer.", "details": []}}
RUNNING = {"job_id": "j", "status": "RUNNING", "message": "", "progress": None, "results": None}
DONE = RUNNING | {"status": "SUCCEEDED", "message": "Done.", "results": {"kpis": {"teleports": 3}}}
BEGIN = (200, "event: note\ndata: Waiting.\n\nid: p1\ndata: one\n\n: still following\n\nid: p2\ndata: tw")
END = (200, "id: end\nevent: end\ndata: The job has ended.\n\n")


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def job_at(url: str, patience_s: float = 60) -> Job:
    return Job(Client(url, "k", patience_s=patience_s), RUNNING)


@pytest.mark.parametrize("status, headers", [(429, {"Retry-After": "1"}), (502, {}), (503, {}), (504, {})])
def test_a_moment_without_the_service_is_waited_out(stand_in: Any, status: int, headers: dict[str, str]) -> None:
    url, _ = stand_in((200, RUNNING), (status, ERROR, headers), (200, DONE))
    job = job_at(url)
    assert [each.status for each in job.watch(every_s=0.01)] == ["RUNNING", "SUCCEEDED"]
    assert job.kpis == {"teleports": 3}


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 500, 507])
def test_a_refusal_is_not_asked_again(stand_in: Any, status: int) -> None:
    url, asked = stand_in((status, ERROR))
    with pytest.raises(ApiProblem, match="database") as caught:
        Client(url, "k").run("town")
    assert (caught.value.status, caught.value.code, len(asked)) == (status, "database_unreachable", 1)


def test_patience_ends(stand_in: Any) -> None:
    url, _ = stand_in((503, ERROR))
    with pytest.raises(ApiProblem, match="database"):
        list(job_at(url, patience_s=0).watch())
    url, asked = stand_in((429, ERROR, {"Retry-After": "3600"}))
    with pytest.raises(ApiProblem):  # a wait beyond all patience is not begun
        Client(url, "k").get("/jobs")
    assert len(asked) == 1
    with pytest.raises(ApiProblem, match="does not answer"):
        list(job_at("http://127.0.0.1:9", patience_s=0).follow_log())


def test_where_too_many_wait_all_of_the_time_is_left(stand_in: Any) -> None:
    """A long poll is shorter than what the caller gives."""
    url, asked = stand_in((200, RUNNING), (503, ERROR), (200, RUNNING), (200, DONE))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("client.watching.time.monotonic", lambda: 40.0 * len(asked))
        assert job_at(url, patience_s=0).wait(timeout_s=500).status == "SUCCEEDED"
    assert [each["path"] for each in asked] == ["/jobs/j", "/jobs/j?wait=30", "/jobs/j", "/jobs/j"]


def test_a_submission_that_is_sent_again_is_the_same_one(stand_in: Any) -> None:
    url, asked = stand_in((503, ERROR), (201, DONE))
    Client(url, "k").run("town", seed=1)
    keys = {each["Idempotency-Key"] for each in asked}
    assert (len(asked), len(keys)) == (2, 1)


def test_a_log_goes_on_after_its_last_whole_line(stand_in: Any) -> None:
    cut = (200, "id: p2\ndata: two\n\nevent: cut\ndata: Cut off here.\n\n")
    url, asked = stand_in(BEGIN, (503, ERROR), cut, END)
    assert list(job_at(url).follow_log()) == ["# Waiting.", "one", "two", "# The job has ended."]
    assert [each.get("Last-Event-ID") for each in asked] == [None, "p1", "p1", "p2"]


def test_a_log_that_brings_nothing_more_is_given_up(stand_in: Any) -> None:
    url, _ = stand_in((200, ""))
    with pytest.raises(ApiProblem, match="does not go on"):
        list(job_at(url, patience_s=0).follow_log())


def test_what_is_no_service_of_ours(stand_in: Any) -> None:
    url, _ = stand_in((200, "<html>"), (418, "<html>"))
    with pytest.raises(ApiProblem, match="is the address right"):
        Client(url, "k").get("/jobs")
    with pytest.raises(ApiProblem, match="answered 418"):
        Client(url, "k").get("/jobs")
    for address in ("example.org", "ftp://example.org", "http://"):
        with pytest.raises(ApiProblem, match="not an http"):
            Client(address, "k")
    with pytest.raises(ApiProblem, match="no API key"):
        Client("http://example.org", "a\nb")


def test_watch_job_follows_a_log(stand_in: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUMOK8_KEY", "k")
    url, _ = stand_in((200, RUNNING), END, (200, DONE))
    out = StringIO()
    call_command("watch_job", "j", "--log", "--url", url, stdout=out)
    assert out.getvalue().startswith("# The job has ended.\nSUCCEEDED. Done.\n")
    assert "teleports" in out.getvalue()
    url, _ = stand_in((200, RUNNING), END, (200, DONE | {"status": "FAILED"}))
    with pytest.raises(CommandError, match="FAILED"):
        call_command("watch_job", "j", "--log", "--url", url, stdout=out)
