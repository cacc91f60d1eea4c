"""`manage.py study` does what the API does, over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer

from simulations.studies.models import Study
from tenants.models import Tenant
from tests.factories import issue_key

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def study(
    live_server: LiveServer, tenant: Tenant, body: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture
) -> Any:
    """The command with the tenant's key; returns what it wrote."""
    key = tmp_path / "key"
    key.write_text(issue_key(tenant))
    (tmp_path / "study.json").write_text(json.dumps(body))

    def run(action: str, *rest: Any) -> str:
        call_command("study", action, *map(str, rest), "--url", live_server.url, "--key-file", str(key))
        return capsys.readouterr().out

    run.file = tmp_path / "study.json"  # type: ignore[attr-defined]
    return run


def test_a_studys_whole_life(study: Any, cluster: Any, tmp_path: Path) -> None:
    assert "6 runs in 2 cells; compared with today." in study("submit", study.file, "--dry-run")
    assert "is RUNNING: 6 runs." in study("submit", study.file)
    found = Study.objects.get()
    assert str(found.pk) in study("list")
    assert "PAUSED" in study("pause", found.pk)
    assert "RUNNING" in study("resume", found.pk)
    cluster.run()
    assert "6 of 6 runs succeeded" in study("show", found.pk)
    assert "mean travel time, lane against today: +" in study("summary", found.pk)
    assert "1 seeds added" in study("extend", found.pk, "--seeds-total", 4)
    cluster.run()
    assert "8 of 8 runs succeeded." in study("watch", found.pk)
    assert "0 runs are run again" in study("retry", found.pk)
    for name in ("archive.zip", "runs.csv", "runs.parquet", "report.html"):
        study("export", found.pk, name, "--to", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100


def test_refusals_are_sentences(study: Any, cluster: Any) -> None:
    study.file.write_text(json.dumps({"base": {"scenario_id": "nowhere"}}))
    with pytest.raises(CommandError, match="There is no scenario “nowhere”"):
        study("submit", study.file)
    study.file.write_text("{")
    with pytest.raises(CommandError, match="cannot be read as JSON"):
        study("submit", study.file)
    with pytest.raises(CommandError, match="no such study"):
        study("cancel", "00000000-0000-0000-0000-000000000000")


def test_watch_fails_for_a_study_without_a_verdict(study: Any, cluster: Any) -> None:
    study("submit", study.file)
    cluster.run(lambda job: "SUMO_FAILED")
    with pytest.raises(CommandError, match="ended INCOMPLETE"):
        study("watch", Study.objects.get().pk)
