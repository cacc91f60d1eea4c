"""The bounded form of `make chaos`: the same program, fewer jobs, a spread of the crash points."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.stage import PROJECT
from tests.database_copy import dump
from tests.last_will import MARK

JOBS = os.environ.get("CHAOS_JOBS", "10")
SEED = os.environ.get("CHAOS_SEED", "20261123")


@pytest.mark.slow
@pytest.mark.long
def test_no_job_is_lost_doubled_or_wrong_whatever_breaks(
    django_db_setup: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bounded = ["--seed", SEED, "--jobs", JOBS, "--faults", "0.06", "--stride", "150", "--lives", "1"]
    bounded += ["--lost-every", "3", "--dump", str(dump(tmp_path / "migrated.sql"))]
    command = [sys.executable, "-m", "tests.chaos", "scenario", "crash-points", *bounded]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=400)
    with capsys.disabled():
        print(f"\n{done.stdout}", end="")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def test_the_program_needs_no_test_run_around_it() -> None:
    own = {name: value for name, value in os.environ.items() if name != MARK}
    subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--help"], cwd=PROJECT, env=own, check=True, capture_output=True
    )
