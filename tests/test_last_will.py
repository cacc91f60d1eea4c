"""What a test run starts does not outlive it."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.last_will import MARK, lives

ROOT = Path(__file__).resolve().parents[1]
RUN = """
import pathlib, subprocess, sys
from tests.last_will import watch_over
watch_over(pathlib.Path(sys.argv[1]))
sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
nested = subprocess.Popen([sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '600'])"])
print(sleeper.pid, nested.pid, flush=True)
sys.stdin.read()
"""


def test_a_killed_run_leaves_neither_processes_nor_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    (folder / "more").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if name != MARK}
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)],
        cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        assert run.stdout
        started = list(map(int, run.stdout.readline().split()))
        assert all(map(lives, started))
        run.kill()
    deadline = time.monotonic() + 20
    while folder.exists() or any(map(lives, started)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
