"""The examples run as they are written, with the package installed as tenants install it."""

import os
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Command, Context, Group
from click.testing import Result
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from client.commands.main import main
from simulations.models import Job
from tenants.models import Tenant, TrustedIssuer
from tests.issuer import Issuer
from tests.issuer import issuer as issuer
from tests.simulations.scenarios import upload
from tests.simulations.studies.conftest import Cluster, Ending, kpis_of

CLIENT = Path(__file__).resolve().parents[2] / "client"
EXAMPLES = CLIENT / "examples"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment that finds the package by its installed name, with the folders that pyproject.toml adds."""
    build = tomllib.loads((CLIENT / "pyproject.toml").read_text())["tool"]["setuptools"]
    package = tmp_path / "sumok8_client"
    package.mkdir()
    for path in CLIENT.iterdir():
        (package / path.name).symlink_to(path)
    for name, folder in build["package-dir"].items():
        assert name == "sumok8_client" or name in build["packages"]
        place = tmp_path.joinpath(*name.split("."))
        if place != package:
            place.parent.mkdir(exist_ok=True)
            place.symlink_to((CLIENT / folder).resolve(strict=True))
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_the_package_needs_none_of_ours(installed: dict[str, str], tmp_path: Path) -> None:
    sample = CLIENT.parent / "simulations" / "samples" / "midtown_peak.zip"
    code = (
        "import sumok8_client.commands.main, sys\n"
        f"print(sumok8_client.check({str(sample)!r})['config'])\n"
        "print({'django', 'client', 'simulations'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=installed, capture_output=True)
    assert (done.stdout, done.stderr) == (b"midtown.sumocfg\nset()\n", b"")


@contextmanager
def running(fate: Ending) -> Iterator[None]:
    """A stand-in for the cluster, beside what the test does."""
    stop = threading.Event()

    def cluster() -> None:
        try:
            while not stop.wait(0.1):
                Cluster().run(fate)
        finally:
            connections.close_all()

    runs = threading.Thread(target=cluster)
    runs.start()
    try:
        yield
    finally:
        stop.set()
        runs.join()


@pytest.mark.django_db(transaction=True)
def test_the_notebook_runs(live_server: LiveServer, api: Any, key: str, installed: dict[str, str]) -> None:
    upload(api)
    with running(kpis_of):
        ours = {"SUMOK8_URL": live_server.url, "SUMOK8_API_KEY": key, "SCENARIO": "town", "SEEDS": "3"}
        notebook = CLIENT.parent / "docs" / "compare_variants.py"
        done = subprocess.run([sys.executable, notebook], env=installed | ours, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert "mean travel time, more against today:" in done.stdout.decode()
    assert done.stdout.decode().count("█ ") == 6


@pytest.mark.django_db(transaction=True)
def test_a_pull_request_that_makes_it_worse_fails(
    sumok8: Callable[..., Result], town: Path, tenant: Tenant, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workflow's own lines with the runner's token and no key, in a repository as it describes it."""
    service, claims = os.environ["SUMOK8_URL"], {"sub": "repo:city/model"}
    TrustedIssuer.objects.create(tenant=tenant, issuer=issuer.url, audience=service, claims=claims)
    monkeypatch.delenv("SUMOK8_API_KEY")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{issuer.url}/runner?api-version=2")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-runner")
    example = EXAMPLES / "pull-request"
    shutil.copytree(town, "base/scenario")
    shutil.copytree(town, "scenario")
    Path("scenario/demand.rou.xml").write_text(Path("scenario/demand.rou.xml").read_text() + "<!-- changed -->")
    shutil.copy(example / "study.yaml", ".")

    def fate(job: Job) -> dict[str, Any]:
        figures = kpis_of(job)
        slower = 5 if job.scenario_data["scenario_id"] == "centre-pr" else 0
        return figures | {"mean_time_loss_s": figures["mean_time_loss_s"] + slower}

    with running(fate):
        done = [sumok8(*words) for words in commands_in((example / "workflow.yml").read_text())]
    assert [each.exit_code for each in done] == [0, 0, 1], [each.output for each in done]
    assert "mean time loss, pull-request against main: +" in done[-1].stdout
    assert "1 of the primary figures are worse" in done[-1].stderr


def commands_in(text: str) -> list[list[str]]:
    return [line.split() for line in re.findall(r"^(?:\s*- run: |\s*)sumok8 (.*)$", text, re.MULTILINE)]


@pytest.mark.parametrize(
    "page", [CLIENT / "README.md", EXAMPLES / "pull-request" / "workflow.yml"], ids=lambda path: path.name
)
def test_commands_that_are_told_exist(page: Path) -> None:
    text = page.read_text()
    if page.suffix == ".yml":
        assert yaml.safe_load(text)["jobs"]
    told = commands_in(text)
    assert told
    for words in told:
        command: Command = main
        while isinstance(command, Group) and not words[0].startswith("-"):
            _, found, words = command.resolve_command(Context(command), words)  # raises for what is not there
            assert found
            command = found
        known = {option for each in command.params for option in each.opts} | {"-h", "--help", "--version"}
        used = {word.split("=")[0] for word in words if word.startswith("-")}
        assert used <= known, f"{command.name}: {used - known}"
