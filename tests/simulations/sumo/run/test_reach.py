"""Whether a pod reaches the control plane, in words; from a pod it is tried in `tests/deploy/test_reach_check.py`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulations.sumo.run import reach
from tests.simulations.sumo.harness import FakeControlPlane


@pytest.fixture
def plane() -> Iterator[FakeControlPlane]:
    server = FakeControlPlane(b"")
    yield server
    server.close()


def test_any_answer_will_do(plane: FakeControlPlane) -> None:
    plane.script = lambda method, path: 503 if path == "/healthz" else 404
    assert reach.look(plane.url) == {"host": "127.0.0.1", "addresses": ["127.0.0.1"], "status": 503, "problem": ""}


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "https://127.0.0.1:9/base"])
def test_why_there_is_none(url: str) -> None:
    found = reach.look(url)
    assert (found["addresses"], found["status"]) == (["127.0.0.1"], None)
    assert found["problem"] == "127.0.0.1 refuses the connection"


def test_it_is_told_in_a_line_and_where_a_runner_leaves_its_message(
    plane: FakeControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plane.script = lambda method, path: 200
    message = tmp_path / "termination-log"
    monkeypatch.setenv("TERMINATION_MESSAGE_PATH", str(message))
    for url, code in ((plane.url, 0), ("http://127.0.0.1:9", 1)):
        monkeypatch.setattr(sys, "argv", ["reach", url])
        assert reach.main() == code
        assert json.loads(message.read_text()) == json.loads(capsys.readouterr().out) == reach.look(url)
    monkeypatch.delenv("TERMINATION_MESSAGE_PATH")
    assert reach.main() == 1
