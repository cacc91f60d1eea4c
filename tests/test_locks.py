"""The lock files say what the requirements say, exactly; `make lock` makes them."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["requirements", "requirements-embedded", "requirements-dev"]


def asked(name: str) -> dict[str, str]:
    """Versions by package in a requirements file and those that it includes."""
    found: dict[str, str] = {}
    for line in (ROOT / f"{name}.txt").read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found |= asked(Path(text[3:]).stem)
        elif text:
            requirement = Requirement(text)
            found[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix("==")
    return found


def locked(name: str) -> list[Requirement]:
    text = (ROOT / f"{name}.lock").read_text().replace("\\\n", "")
    return [Requirement(line.partition(" --hash")[0].strip()) for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_asked_for_is_locked(name: str) -> None:
    versions = {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in locked(name)}
    assert versions.items() >= asked(name).items()


@pytest.mark.parametrize("name", NAMES)
def test_every_locked_package_has_hashes(name: str) -> None:
    packages = re.split(r"\n(?=\S)", (ROOT / f"{name}.lock").read_text().strip())
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", package) for package in packages)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_installed_here_is_what_is_locked(name: str) -> None:
    here = [each for each in locked(name) if each.marker is None or each.marker.evaluate()]
    assert {each.name: importlib.metadata.version(each.name) for each in here} == {
        each.name: str(each.specifier).removeprefix("==") for each in here
    }
