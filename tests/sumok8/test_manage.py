import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_missing_setting_is_a_sentence() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SECRET_KEY")}
    done = subprocess.run(
        [sys.executable, "manage.py", "list_tenants"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("Set the SECRET_KEY environment variable")
    assert "Traceback" not in done.stderr
