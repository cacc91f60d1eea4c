"""The examples run as they are written, with the package installed as tenants install it."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from click import Command, Group
from django.db import connections
from pytest_django.live_server_helper import LiveServer

from client.commands.main import main
from tests.simulations.scenarios import upload
from tests.simulations.studies.conftest import Cluster

CLIENT = Path(__file__).resolve().parents[2] / "client"
EXAMPLES = CLIENT / "examples"


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment that finds the package by its installed name."""
    (tmp_path / "sumok8_client").symlink_to(CLIENT)
    return {**os.environ, "PYTHONPATH": str(tmp_path)}


def test_the_package_needs_none_of_ours(installed: dict[str, str], tmp_path: Path) -> None:
    code = "import sumok8_client.commands.main, sys; print('django' in sys.modules, 'client' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=installed, capture_output=True)
    assert (done.stdout, done.stderr) == (b"False False\n", b"")


@pytest.mark.django_db(transaction=True)
def test_the_notebook_runs(live_server: LiveServer, api: Any, key: str, installed: dict[str, str]) -> None:
    upload(api)
    stop = threading.Event()

    def cluster() -> None:
        try:
            while not stop.wait(0.1):
                Cluster().run()
        finally:
            connections.close_all()

    runs = threading.Thread(target=cluster)
    runs.start()
    try:
        ours = {"SUMOK8_URL": live_server.url, "SUMOK8_API_KEY": key, "SCENARIO": "town", "SEEDS": "3"}
        done = subprocess.run(
            [sys.executable, EXAMPLES / "compare_variants.py"], env=installed | ours, capture_output=True, timeout=60
        )
    finally:
        stop.set()
        runs.join()
    assert done.returncode == 0, done.stderr.decode()
    assert "mean travel time, more against today:" in done.stdout.decode()
    assert done.stdout.decode().count("█ ") == 6


def commands_in(text: str) -> list[list[str]]:
    return [line.split() for line in re.findall(r"^(?:\s*- run: |\s*)sumok8 (.*)$", text, re.MULTILINE)]


@pytest.mark.parametrize("page", [CLIENT / "README.md", EXAMPLES / "pull-request.yml"], ids=lambda path: path.name)
def test_commands_that_are_told_exist(page: Path) -> None:
    text = page.read_text()
    if page.suffix == ".yml":
        assert yaml.safe_load(text)["jobs"]
    told = commands_in(text)
    assert told
    for words in told:
        command: Command = main
        while isinstance(command, Group):
            word = words.pop(0)
            if word.startswith("-"):
                break
            assert word in command.commands, f"sumok8 {word}"
            command = command.commands[word]
        known = {option for each in command.params for option in each.opts} | {"-h", "--help", "--version"}
        used = {word.split("=")[0] for word in words if word.startswith("-")}
        assert used <= known, f"{command.name}: {used - known}"
