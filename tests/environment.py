"""Loaded by pytest before Django's settings: the environment of the tests and their PostgreSQL."""

import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sumok8.embedded_postgres import EmbeddedPostgres
from tests.last_will import watch_over

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, as would their children
gc.disable()  # until all is imported and collected: see pytest_collection_finish
ROOT = Path(__file__).parent.parent
FOLDER = Path(tempfile.mkdtemp(prefix="sumok8-tests-"))
watch_over(FOLDER)
FOLDER.chmod(0o755)
(FOLDER / "static").mkdir()
_server: EmbeddedPostgres | None = None
_template: subprocess.Popen[bytes] | None = None

os.environ.update(
    DEBUG="false",
    SECRET_KEY="tests-only-secret-key-tests-only-secret-key-0123456789",
    JOB_TOKEN_KEYS="tests-only-job-token-key-tests-only-job-token-key-012345",
    DATA_DIR=str(FOLDER / "data"),
    STATIC_ROOT=str(FOLDER / "static"),
    INSTALLATION_ID="tests",
    LOG_LEVEL="WARNING",
    ALLOWED_HOSTS="localhost,127.0.0.1,testserver",
)
if "DATABASE_URL" not in os.environ:
    _server = EmbeddedPostgres(FOLDER / "postgres", durable=False)
    os.environ["DATABASE_URL"] = _server.start()


def pytest_configure(config: pytest.Config) -> None:
    if getattr(config.option, "numprocesses", None):  # they collect meanwhile
        global _template
        told = os.environ | {"DJANGO_SETTINGS_MODULE": "sumok8.settings"}
        _template = subprocess.Popen([sys.executable, "-m", "tests.template_database"], env=told, cwd=ROOT)


def pytest_unconfigure() -> None:
    if _template:
        _template.wait()
    if _server:
        _server.stop()
        shutil.rmtree(_server.home, ignore_errors=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
