import errno
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulations.sumo.run.transport import ControlPlane, ProgressPoster, RefusedByService, Unreachable, words_of
from tests.simulations.sumo.harness import TOKEN, FakeControlPlane, wait_for


@pytest.fixture
def client(plane: FakeControlPlane) -> ControlPlane:
    return ControlPlane(plane.url, job_id="job", token=TOKEN, attempt=2, first_pause_s=0.01)


def soon(seconds: float = 0.3) -> Callable[[], float]:
    moment = time.monotonic() + seconds
    return lambda: moment


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "result"
    path.write_bytes(b"x" * 3_000_000)
    return path


def upload(client: ControlPlane, path: Path, name: str = "a b/c.xml.gz", seconds: float = 10) -> None:
    import hashlib

    client.upload(path, name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), deadline=soon(seconds))


def test_names_are_quoted_and_the_attempt_is_told(client: ControlPlane, plane: FakeControlPlane, file: Path) -> None:
    upload(client, file)
    assert plane.artifacts == {"a b/c.xml.gz": file.read_bytes()}
    assert plane.requests[0][2]["X-Attempt"] == "2"


def test_the_same_file_twice_is_fine_and_other_bytes_are_refused(
    client: ControlPlane, plane: FakeControlPlane, file: Path
) -> None:
    upload(client, file)
    upload(client, file)
    file.write_bytes(b"other")
    with pytest.raises(RefusedByService) as refused:
        upload(client, file)
    assert refused.value.status == 409


@pytest.mark.parametrize("status", [307, 413])
def test_an_answer_given_before_the_body_was_read_counts(
    client: ControlPlane, plane: FakeControlPlane, file: Path, status: int
) -> None:
    file.write_bytes(b"x" * 20_000_000)
    if status == 307:
        plane.presigned = True
        upload(client, file)
        assert len(plane.artifacts["a b/c.xml.gz"]) == 20_000_000
    else:
        plane.script = lambda method, path: status
        with pytest.raises(RefusedByService):
            upload(client, file)


@pytest.mark.parametrize("trouble", [503, "reset"])
def test_trying_ends_at_the_deadline(
    client: ControlPlane, plane: FakeControlPlane, file: Path, trouble: int | str
) -> None:
    plane.script = lambda method, path: trouble
    file.write_bytes(b"x" * 20_000_000)  # more than is on its way at one time: a reset comes while it is sent
    with pytest.raises(Unreachable):
        upload(client, file, seconds=0.3)
    assert len(plane.requests) > 1


def test_nobody_listens(file: Path) -> None:
    nobody = ControlPlane("http://127.0.0.1:9", job_id="job", token=TOKEN, attempt=1, first_pause_s=0.01)
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 refuses the connection"):
        upload(nobody, file, seconds=0.1)


WORDS = [
    (
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        "name not resolved: web (Name or service not known)",
    ),
    (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "web refuses the connection"),
    (TimeoutError("timed out"), "web does not answer"),
    (OSError(errno.EHOSTUNREACH, "x"), "no route to web"),
    (ConnectionResetError(errno.ECONNRESET, "reset"), "web: ConnectionResetError: [Errno 104] reset"),
]


@pytest.mark.parametrize("error, words", WORDS)
def test_why_it_cannot_be_reached(error: OSError, words: str) -> None:
    assert words_of(error, "web") == words


def test_each_failed_try_is_told_and_that_it_is_over(plane: FakeControlPlane, file: Path) -> None:
    told: list[str | None] = []
    client = ControlPlane(plane.url, job_id="job", token=TOKEN, attempt=1, first_pause_s=0.01, told=told.append)
    answers: list[int | str] = [503, "reset"]
    plane.script = lambda method, path: answers.pop(0) if answers else None
    upload(client, file)
    upload(client, file)
    first, second, last = told
    assert first == '127.0.0.1 answers HTTP 503: {"error": {"code": "scripted"}}'
    assert second
    assert last is None


def test_a_scenario_larger_than_allowed_is_not_stored(
    client: ControlPlane, plane: FakeControlPlane, tmp_path: Path
) -> None:
    plane.scenario = b"z" * 5000
    with pytest.raises(RefusedByService, match="larger"):
        client.fetch_scenario(tmp_path / "zip", max_bytes=4999, deadline=soon())


def test_redirects_in_circles_end(plane: FakeControlPlane, client: ControlPlane, tmp_path: Path) -> None:
    plane.script = lambda method, path: path
    with pytest.raises(RefusedByService, match="redirects in circles"):
        client.fetch_scenario(tmp_path / "zip", max_bytes=10, deadline=soon())


def test_the_last_progress_record_is_sent_though_its_turn_has_not_come(
    client: ControlPlane, plane: FakeControlPlane
) -> None:
    poster = ProgressPoster(client, period_s=60)
    poster.start()
    poster.offer({"sim_time": 1.0})
    poster.offer({"sim_time": 2.0})
    poster.offer({"sim_time": 3.0})
    poster.stop()
    assert plane.progress[-1] == {"sim_time": 3.0}


def test_the_newest_record_is_sent_once_a_period(client: ControlPlane, plane: FakeControlPlane) -> None:
    poster = ProgressPoster(client, period_s=60)
    poster.start()
    poster.offer({"sim_time": 1.0})
    wait_for(lambda: bool(plane.progress))
    poster.offer({"sim_time": 2.0})
    poster.offer({"sim_time": 3.0})
    poster.stop()
    assert plane.progress == [{"sim_time": 1.0}, {"sim_time": 3.0}]


def test_a_run_without_a_record_sends_none(client: ControlPlane, plane: FakeControlPlane) -> None:
    poster = ProgressPoster(client, period_s=60)
    poster.start()
    poster.stop()
    assert plane.requests == []
