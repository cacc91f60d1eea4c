"""The API against its own description: schemathesis makes up requests, right and wrong, for a live server."""

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from simulations.api.job_waiters import waiters
from tests.clusterops.dashboard import seed
from tests.clusterops.dashboard.conftest import cluster_answers as cluster_answers
from tests.factories import TenantFactory, issue_key

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "ignored_auth",
]


# One worker: two of its threads that parse Python at once end in a SystemError of CPython 3.11.
# The coverage phase tries every kind of wrong value; these two would double it and find the same code.
# Collecting garbage while Python 3.11 parses a lambda's source makes it give up ("AST constructor recursion depth
# mismatch"), and Hypothesis parses many.
PROGRAM = "import gc, runpy; gc.disable(); runpy.run_module('schemathesis.cli', run_name='__main__')"
# Wrong values of each parameter in turn are for what changes something; the hostile sweep asks the rest.
CONFIG = """
[phases.coverage]
generate-duplicate-query-parameters = false
unexpected-methods = ["PATCH"]

[[operations]]
include-method = "GET"
phases.coverage.enabled = false

[[operations]]
include-name = "POST /studies"  # half of all the cases, and its cells are read as POST /jobs is
phases.coverage.enabled = false
"""


@pytest.fixture(autouse=True)
def own_files(settings: Settings, tmp_path: Path) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}


@pytest.mark.parametrize(
    "scope, selection",
    [
        pytest.param("tenant", "--exclude-path-regex=^/admin/", id="tenant"),
        pytest.param("admin", "--include-path-regex=^/admin/", id="admin"),
    ],
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_every_answer_is_as_described(
    live_server: LiveServer,
    cluster_answers: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scope: str,
    selection: str,
) -> None:
    monkeypatch.setattr(waiters, "ending", lambda: True)  # a long poll is answered at once
    seed.fill(jobs=25, minutes=5)
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    key = issue_key(TenantFactory(max_queued_jobs=3) if scope == "tenant" else None)
    command = [
        sys.executable, "-c", PROGRAM, "run", f"{live_server.url}/schema", selection,
        "--header", f"Authorization: Bearer {key}", "--checks", ",".join(CHECKS), "--seed", "1",
        "--phases", "examples,coverage,fuzzing", "--max-examples", "1", "--no-shrink", "--workers", "1",
        "--request-timeout", "20", "--suppress-health-check", "all", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
