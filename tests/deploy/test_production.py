"""The production overlay's own environment passes Django's deployment checks."""

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from clusterops.install import installer

ROOT = Path(__file__).resolve().parents[2]


def environment(overlay: str, secrets: Path) -> dict[str, str]:
    """The web container's, as Kubernetes would put it together; the Secret's files are in `secrets`."""
    objects = installer.load(installer.overlay_folder(overlay))
    config = next(one for one in objects if one["kind"] == "ConfigMap")["data"]
    web = next(one for one in objects if one["metadata"]["name"] == "sumok8-web" and one["kind"] == "Deployment")
    known = {"CONTROLLER_NAMESPACE": "sumok8", "POD_IP": "10.0.0.1", "PUBLIC_HOSTS": config["PUBLIC_HOSTS"]}
    variables = {name: value.replace("/etc/sumok8/secrets", str(secrets)) for name, value in config.items()}
    for entry in web["spec"]["template"]["spec"]["containers"][0]["env"]:
        value = entry.get("value", "")
        for name, meaning in known.items():
            value = value.replace(f"$({name})", meaning)
        variables[entry["name"]] = value or known.get(entry["name"], "")
    return variables | {"PATH": os.environ["PATH"]}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    made = installer.new_secret("sumok8", database_url="postgresql://sumok8:secret@db/sumok8")["data"]
    for name, value in made.items():
        (tmp_path / name).write_bytes(base64.b64decode(value))
    return tmp_path


def check(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)


def test_deployment_checks_are_clean(secrets: Path) -> None:
    done = check(environment("production", secrets))
    assert done.returncode == 0, done.stderr
    assert re.findall(r"\((\w+\.\w+)\)", done.stderr) == ["sumok8.I001"]  # there is no database here to look at
    assert "(0 silenced)" in done.stderr


def test_example_secrets_are_refused(secrets: Path) -> None:
    (secrets / "SECRET_KEY").write_text("example-secret-key-that-is-long-enough-for-every-other-check-0123456789")
    done = check(environment("production", secrets))
    assert done.returncode != 0
    assert "example" in done.stderr


@pytest.mark.parametrize("overlay", ["local", "production"])
def test_a_forwarded_port_may_be_opened_by_either_name(overlay: str, secrets: Path) -> None:
    assert {"localhost", "127.0.0.1"} <= set(environment(overlay, secrets)["ALLOWED_HOSTS"].split(","))
