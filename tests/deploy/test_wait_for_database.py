"""`manage.py wait_for_database`: patient, and says why."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db(transaction=True)
def test_a_database_that_answers() -> None:
    out = io.StringIO()
    call_command("wait_for_database", stdout=out)
    assert out.getvalue() == "The database answers.\n"


@pytest.mark.django_db
def test_the_end_of_patience_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nowhere")
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"did not answer within 0 s: .*No such file"):
        call_command("wait_for_database", "--timeout", "0", stdout=out)
    assert out.getvalue().count("does not answer yet") == 1


@pytest.mark.django_db(transaction=True)
def test_one_that_comes_later_is_noticed(tmp_path: Path) -> None:
    """The socket's folder is there only after it has said that nobody answers."""
    server, name = os.environ["DATABASE_URL"].rpartition("/")[0], connection.settings_dict["NAME"]
    folder = Path(server.removeprefix("postgresql://postgres@/"))
    late = tmp_path / "late"
    env = os.environ | {"DATABASE_URL": f"postgresql://postgres@/{late}/{name}"}
    command = [sys.executable, "manage.py", "wait_for_database", "--timeout", "30"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert "does not answer yet" in process.stdout.readline()
        late.symlink_to(folder)
        assert process.stdout.read() == "The database answers.\n"
    assert process.returncode == 0
