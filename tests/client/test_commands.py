"""The command line against the live service, from sign-in to results."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from client import ApiProblem, Client, api
from simulations.models import Artifact, Job, Scenario
from tenants.models import Tenant
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Result]
KPIS = {"vehicles_inserted": 1200, "mean_time_loss_s": 50.25, "teleports": 0}


def end(job: Job, status: str = "SUCCEEDED", kpis: dict[str, Any] = KPIS) -> None:
    now = timezone.now()
    results = {"outcome": "succeeded", "complete": True, "kpis": kpis}
    job.dispatched_at = now
    job.save()
    reason = "COMPLETED" if status == "SUCCEEDED" else "SUMO_FAILED"
    job.move_to(status, reason=reason, message="Over.", results=results, started_at=now, finished_at=now)


def store(job: Job, name: str, content: bytes) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    path = f"tests/{job.pk}/{name}"
    default_storage.save(path, ContentFile(content))
    Artifact.objects.create(job=job, attempt=job.attempt, name=name, file=path, size_bytes=len(content), sha256=sha256)


@pytest.fixture
def job(tenant: Tenant) -> Job:
    """Submitted and not begun."""
    return JobFactory(tenant=tenant, scenario=ScenarioFactory(tenant=tenant, scenario_id="town"))


def test_login_keeps_a_key_that_the_service_takes(
    sumok8: Run, service: Client, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUMOK8_URL")
    monkeypatch.delenv("SUMOK8_API_KEY")
    assert "sumok8 login" in sumok8("ls").stderr
    refused = sumok8("login", service.url, input="sk8_wrong\n")
    assert (refused.exit_code, (tmp_path / "profiles.json").exists()) == (2, False)
    assert sumok8("login", service.url, input=f"{key}\n").exit_code == 0
    assert (tmp_path / "profiles.json").stat().st_mode & 0o777 == 0o600
    assert sumok8("ls").exit_code == 0
    monkeypatch.setenv("SUMOK8_URL", "http://127.0.0.1:9")
    elsewhere = sumok8("ls")
    assert (elsewhere.exit_code, "no key is known for it" in elsewhere.stderr) == (2, True)


def test_what_differs_is_laid_over_a_version(sumok8: Run, town: Path, tmp_path: Path) -> None:
    name = json.loads(sumok8("upload", town, "--json").stdout)["scenario_id"]
    changes = tmp_path / "changes"
    changes.mkdir()
    (changes / "notes.txt").write_text("x")
    (changes / ".git").mkdir()
    (changes / ".git" / "secret").write_text("x")
    told = sumok8("upload", changes, "--onto", f"{name}:1", "--name", "lane")
    assert "Scenario lane, version 1 (" in told.stdout
    service = Client(os.environ["SUMOK8_URL"], os.environ["SUMOK8_API_KEY"])
    assert service.scenario("lane").data["inspection"]["files"] == 4
    assert sumok8("upload", changes, "--onto", "lane", "--remove", "gone.txt").exit_code == 2
    assert sumok8("upload", changes, "--remove", "x").exit_code == 2


def test_a_folder_is_uploaded_once(sumok8: Run, town: Path) -> None:
    first = sumok8("upload", town)
    assert first.exit_code == 0, first.stderr
    assert "old/notes.txt, tripinfo.xml" in first.stderr
    assert "Scenario town, version 1 (run.sumocfg)." in first.stdout
    assert json.loads(sumok8("upload", town, "--json").stdout)["version"] == 1
    (town / "demand.rou.xml").write_text((town / "demand.rou.xml").read_text() + "<!-- changed -->")
    assert json.loads(sumok8("upload", town, "--json").stdout)["version"] == 2
    assert [row["version"] for row in json.loads(sumok8("scenarios", "--json").stdout)] == [2]


def test_check_tells_all_that_is_wrong_here_as_the_service_does(
    sumok8: Run, town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_service = json.loads(sumok8("check", town, "--at-service", "--json").stdout)
    url = os.environ["SUMOK8_URL"]
    monkeypatch.delenv("SUMOK8_URL")
    assert "Nothing is wrong" in sumok8("check", town).stdout
    here = json.loads(sumok8("check", town, "--json").stdout)
    assert here == {name: at_service[name] for name in here}
    (town / "demand.rou.xml").write_text('<routes><vehicle id="v" depart="0"><route edges="b"/></vehicle></routes>')
    (town / "run.sumocfg").write_text(
        (town / "run.sumocfg")
        .read_text()
        .replace("</input>", '</input><processing><no-such-option value="1"/></processing>')
    )
    wrong = sumok8("check", town, "--json")
    assert wrong.exit_code == 2
    here = json.loads(wrong.stderr)["error"]["details"]
    assert any("no-such-option" in each["message"] for each in here)
    with pytest.raises(ApiProblem) as refused:
        Client(url, os.environ["SUMOK8_API_KEY"]).check(town)
    assert refused.value.details == here
    (town / "net.net.xml").unlink()
    missing = json.loads(sumok8("check", town, "--json").stderr)["error"]["details"]
    assert [each["message"] for each in missing] == ["net.net.xml (option net-file) is not there.", here[0]["message"]]
    assert "net.net.xml (option net-file) is not there." in sumok8("upload", town).stderr
    assert not Scenario.objects.exists()


def test_run_asks_for_what_it_is_told(sumok8: Run, town: Path) -> None:
    sumok8("upload", town)
    started = sumok8(
        "run", "town", "--seed", 7, "--scale", 1.5, "--option", "time-to-teleport=120", "--output", "edgedata",
        "--label", "pr=12", "--emissions", "--json",
    )  # fmt: skip
    asked = json.loads(started.stdout)["request"]
    assert (asked["seed"], asked["scale"], asked["options"]) == (7, 1.5, {"time-to-teleport": 120})
    assert (asked["outputs"], asked["emissions"]) == (["edgedata"], True)
    found = json.loads(sumok8("ls", "--label", "pr=12", "--status", "pending", "--json").stdout)
    assert [row["job_id"] for row in found] == [json.loads(started.stdout)["job_id"]]
    assert json.loads(sumok8("ls", "--label", "pr=13", "--json").stdout) == []
    refused = sumok8("run", "town", "--scale", -1)
    assert (refused.exit_code, "scale" in refused.stderr) == (2, True)
    assert sumok8("run", "town", "--label", "x").exit_code == 2


@pytest.mark.parametrize("status, code", [("SUCCEEDED", 0), ("FAILED", 1)])
def test_wait_tells_the_end_by_its_exit_code(sumok8: Run, job: Job, status: str, code: int) -> None:
    end(job, status)
    waited = sumok8("wait", job.pk)
    assert (waited.exit_code, waited.stdout.startswith(f"{status}. Over.")) == (code, True)
    assert json.loads(sumok8("wait", job.pk, "--json").stdout)["status"] == status


def test_wait_gives_up_when_asked_to_and_for_what_does_not_exist(sumok8: Run, job: Job) -> None:
    assert sumok8("wait", job.pk, "--timeout", 0).exit_code == 2
    unknown = sumok8("wait", "00000000-0000-0000-0000-000000000000")
    assert (unknown.exit_code, unknown.stderr) == (2, "You have no such job.\n")


def test_interrupted_it_lets_the_job_run_on(sumok8: Run, job: Job) -> None:
    command = [sys.executable, "-m", "client", "wait", str(job.pk)]
    waiting = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert waiting.stderr is not None
    with waiting.stderr:
        assert waiting.stderr.readline().startswith(b"PENDING")
        waiting.send_signal(signal.SIGINT)
        told = waiting.stderr.read().decode()
    assert (waiting.wait(30), told) == (130, f"\nThe job runs on: {job.pk}\n\nInterrupted.\n")
    job.refresh_from_db()
    assert job.cancel_requested_at is None


def test_show_and_cancel(sumok8: Run, job: Job) -> None:
    assert "Submitted." in sumok8("show", job.pk).stdout
    page = json.loads(sumok8("open", job.pk, "--json").stdout)["url"]
    assert page.endswith(reverse("portal:job", args=[job.tenant_id, job.pk]))
    assert "ends within seconds" in sumok8("cancel", job.pk).stdout
    assert "Waiting" in sumok8("logs", job.pk).stdout or sumok8("logs", job.pk).stdout.startswith("# ")


def test_results_are_downloaded_once_and_mended(sumok8: Run, job: Job) -> None:
    end(job)
    store(job, "tripinfo.xml.gz", b"trips" * 1000)
    store(job, "detectors/e1.xml.gz", b"counts")
    told = sumok8("results", job.pk)
    assert "mean time loss" in told.stdout
    assert "50.2 s" in told.stdout
    assert "5,000" in told.stdout
    assert sumok8("results", job.pk, "--download", "--as", "out").exit_code == 0
    assert Path("out/detectors/e1.xml.gz").read_bytes() == b"counts"
    Path("out/tripinfo.xml.gz").write_bytes(b"damaged")
    paths = json.loads(sumok8("results", job.pk, "--download", "--as", "out", "--json").stdout)["downloaded"]
    assert sorted(paths) == ["out/detectors/e1.xml.gz", "out/tripinfo.xml.gz"]
    assert Path("out/tripinfo.xml.gz").read_bytes() == b"trips" * 1000
    assert "it has: " in sumok8("results", job.pk, "--file", "fcd.parquet").stderr


def test_lists_go_on_over_pages(service: Client, job: Job, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {str(JobFactory(tenant=tenant, scenario=job.scenario).pk) for _ in range(2)}
    monkeypatch.setattr(api, "PAGE", 1)
    assert [each.id for each in service.jobs(status=["PENDING"])][2] == str(job.pk)
    assert {each.id for each in service.jobs(status=["PENDING"])} == {str(job.pk), *others}


def test_two_jobs_side_by_side(sumok8: Run, job: Job, tenant: Tenant) -> None:
    other = JobFactory(tenant=tenant, scenario=job.scenario)
    end(job)
    end(other, kpis=KPIS | {"mean_time_loss_s": 60.3, "co2_kg": 3.0})
    rows = {row["kpi"]: row for row in json.loads(sumok8("compare", job.pk, other.pk, "--json").stdout)}
    assert rows["mean_time_loss_s"]["relative"] == pytest.approx(0.2)
    assert rows["teleports"] == {"kpi": "teleports", "a": 0, "b": 0, "difference": 0, "relative": None}
    assert rows["co2_kg"]["difference"] is None
    assert "+20.0%" in sumok8("compare", job.pk, other.pk).stdout
