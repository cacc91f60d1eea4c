"""The README tells every setting and every command."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
ROOMS = {"tenants", "simulations", "clusterops", "sumok8"}


def variables_read(file: str) -> set[str]:
    """Names in `env.str("NAME"`, `os.environ.get("NAME"`, `os.environ["NAME"]` and their like."""
    return set(re.findall(r"\b(?:env|environ)(?:\.\w+\(|\[)\s*\"(\w+)\"", (ROOT / file).read_text()))


def settings_table() -> set[str]:
    """What the first column of the table under “Settings” names."""
    section = README.partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_the_table_has_every_variable_and_no_other() -> None:
    read = variables_read("sumok8/settings.py") | variables_read("sumok8/gunicorn_conf.py")
    assert {"DATABASE_URL", "WEB_WORKERS"} <= read
    assert settings_table() == read - {"PROMETHEUS_MULTIPROC_DIR"}  # which sumok8/web.py sets for its workers


@pytest.mark.parametrize("command", sorted(name for name, room in get_commands().items() if room in ROOMS))
def test_every_command_is_told(command: str) -> None:
    pages = README + (ROOT / "docs" / "operations.md").read_text()
    assert re.search(rf"`(?:manage\.py )?{command}\b|manage\.py {command}\b", pages)
