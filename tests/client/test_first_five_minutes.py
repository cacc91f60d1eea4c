"""What /docs begins with, run as it stands there: in a shell with curl, and in Python."""

import html
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from simulations.models import Job
from tests.client.test_examples import installed as installed
from tests.client.test_examples import running
from tests.simulations.edges.conftest import keep
from tests.simulations.studies.conftest import kpis_of

BLOCK = re.compile(
    r'<figcaption>(curl|Python)</figcaption><pre class="code" tabindex="0"><code>(.*?)</code></pre>', re.S
)
NAMED = re.compile(r"(?m)^JOB=….*$")  # which a reader fills in from the answer


@pytest.fixture
def told(live_server: LiveServer, key: str) -> dict[str, list[str]]:
    """By language, the page's blocks in order, with the key that a reader has."""
    with urllib.request.urlopen(f"{live_server.url}/docs", timeout=10) as answer:
        page = answer.read().decode()
    blocks: dict[str, list[str]] = {"curl": [], "Python": []}
    for language, text in BLOCK.findall(page):
        blocks[language].append(html.unescape(text).replace("sk8_…", key))
    return blocks


def ended(job: Job) -> dict[str, Any]:
    keep(job, "tripinfo.xml.gz", b"trips")
    return kpis_of(job)


def done(command: list[str], folder: Path, env: dict[str, str]) -> str:
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout.decode() + result.stderr.decode()
    return result.stdout.decode()


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.django_db(transaction=True)
def test_each_example_runs_as_it_is_written(
    told: dict[str, list[str]], town: Path, installed: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = settings.STORAGES | {"default": plain}
    folder = town.rename(tmp_path / "my-town")
    shutil.make_archive(str(folder), "zip", folder)
    assert len(told["curl"]) == len(told["Python"]) == 6

    before, after = "\n".join(told["curl"][:3]), "\n".join([told["curl"][0], *told["curl"][3:]])
    said = done(["bash", "-euc", before], tmp_path, installed)
    assert '"scenario_id":"centre"' in said.replace(": ", ":")
    job = Job.objects.get()
    assert str(job.pk) in said
    with running(ended):
        said = done(["bash", "-euc", NAMED.sub(f"JOB={job.pk}", after)], tmp_path, installed)
        for part in ('"SUCCEEDED"', '"kpis"', '"events"', '"job.finished"'):
            assert part in said, said
        assert (tmp_path / "tripinfo.xml.gz").read_bytes() == b"trips"
        code = "\n".join(told["Python"])
        said = done([sys.executable, "-W", "error", "-c", code], tmp_path, installed)
    assert Job.objects.count() == 2
    limits, *_, refused = said.splitlines()
    assert "max_concurrent_jobs" in limits
    assert refused.startswith("scenario.not_found")
    assert (tmp_path / "results" / "tripinfo.xml.gz").exists()
