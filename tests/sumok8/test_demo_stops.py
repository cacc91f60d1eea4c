"""The demo ends everything that it started, however many signals come and whenever."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.last_will import lives

ROOT = Path(__file__).resolve().parents[2]
# The real demo with a real PostgreSQL; its services are one that ends when asked and one that is busy for ever.
SMALL = """
import signal, sys
from sumok8 import demo, processes
processes.PATIENCE_S = 0.5
BUSY = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.pause()"
class Small(demo.Demo):
    def _manage(self, *arguments, **extra): return ""
    def _start_services(self):
        self.processes.start("quick", ["sleep", "600"])
        self.processes.start("busy", [sys.executable, "-c", BUSY])
        print("pids", *(child.pid for child in self.processes._running.values()), self.postgres.pid(), flush=True)
    def _make_admin(self): pass
    def _make_tenant(self): pass
    def _make_member(self): pass
    def _simulate(self):
        self.job_id = "x"
        return True
demo.Demo = Small
sys.exit(demo.main())
"""


@pytest.mark.parametrize("signals", [1, 2, 30])
def test_signals_while_it_stops_leave_nothing(signals: int, tmp_path: Path) -> None:
    rng = random.Random(signals)
    command = [sys.executable, "-c", SMALL, "--data", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        line = next(line for line in demo.stdout if line.startswith("pids"))
        started = list(map(int, line.split()[1:]))
        assert all(map(lives, started))
        assert any(line.startswith("Serving") for line in demo.stdout)
        for _ in range(signals):
            if demo.poll() is None:
                os.kill(demo.pid, rng.choice([signal.SIGTERM, signal.SIGINT]))
            time.sleep(rng.random() * 0.01)
        said = demo.stdout.read()
    assert demo.returncode == 0
    assert said.endswith("Stopping …\n\nStopped.\n")
    assert not list(filter(lives, started))


def test_a_signal_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SMALL, "--data", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout
        assert "PostgreSQL" in demo.stdout.readline()
        demo.send_signal(signal.SIGTERM)
        assert demo.stdout.read().endswith("Stopped.\n")
    pid = tmp_path / "postgres" / "pgdata" / "postmaster.pid"
    assert not pid.exists() or not lives(int(pid.read_text().split()[0]))
