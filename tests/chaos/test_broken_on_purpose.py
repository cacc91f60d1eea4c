"""The bounded form of `make chaos`: the same program, fewer jobs, a spread of the crash points."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from sumok8.embedded_postgres import installed_binaries
from tests.chaos.stage import PROJECT

JOBS = os.environ.get("CHAOS_JOBS", "10")
SEED = os.environ.get("CHAOS_SEED", "20261123")


def _dump(folder: Path) -> Path:
    """This process's migrated database: a copy costs a tenth of migrating another."""
    told, path = connection.settings_dict, folder / "migrated.sql"
    way = {"PGHOST": told["HOST"], "PGPORT": told["PORT"], "PGUSER": told["USER"], "PGPASSWORD": told["PASSWORD"]}
    command = [installed_binaries() / "bin" / "pg_dump", "-d", told["NAME"], "-f", path]
    subprocess.run(command, check=True, env=os.environ | {name: str(value) for name, value in way.items()})
    return path


@pytest.mark.slow
@pytest.mark.long
def test_no_job_is_lost_doubled_or_wrong_whatever_breaks(
    django_db_setup: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bounded = ["--seed", SEED, "--jobs", JOBS, "--faults", "0.06", "--stride", "150", "--lives", "1"]
    bounded += ["--lost-every", "3", "--dump", str(_dump(tmp_path))]
    command = [sys.executable, "-m", "tests.chaos", "scenario", "crash-points", *bounded]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=400)
    with capsys.disabled():
        print(f"\n{done.stdout}", end="")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
