import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sumok8 import demo
from sumok8.processes import Processes
from tests.ports import free_port


class Started:
    """Stands in for the demo's run, which other tests and `make demo ONCE=1` prove."""

    def __init__(self, data: Path, port: int) -> None:
        self.port = port

    def run(self, *, once: bool, study: bool) -> int:
        return 0


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "Demo", Started)
    monkeypatch.setattr("signal.signal", lambda *_: None)


def run_demo(monkeypatch: pytest.MonkeyPatch, *arguments: Any) -> int:
    monkeypatch.setattr(sys, "argv", ["demo", *map(str, arguments)])
    return demo.main()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_a_killed_demo_left_behind_does_not_hold_the_port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    killed = Processes(tmp_path, cwd=tmp_path)
    killed.environment = os.environ
    killed.start("web", [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)])
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert run_demo(monkeypatch, "--data", tmp_path, "--port", port) == 0
        assert not listens(port)
    finally:
        killed.stop()


@pytest.mark.parametrize("taken", [True, False])
def test_a_port_that_cannot_be_used_is_a_sentence(
    taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1] if taken else 99999
        assert run_demo(monkeypatch, "--data", tmp_path, "--port", port) == 1
    assert f"port {port} is in use or cannot be used" in capsys.readouterr().err
