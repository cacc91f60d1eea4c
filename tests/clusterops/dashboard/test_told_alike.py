"""A job's pages, its tenant's and staff's two, say the same of it in the same colour."""

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from simulations.models import Artifact, Job
from simulations.telling import tell
from simulations.waiting import line_for
from tests.factories import JobFactory

ALL_ARRIVED = {"vehicles_inserted": 300, "vehicles_arrived": 300, "trips_finished": 300, "mean_travel_time_s": 61.5}
CARE = {"code": "quality.teleports", "message": "9 teleports for 300 vehicles.", "hint": "Look at the junction."}


@pytest.fixture
def job(db: None, settings: Settings, tmp_path: Path) -> Job:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}
    now = timezone.now()
    ended = {"status": "SUCCEEDED", "reason": "COMPLETED", "finished_at": now, "started_at": now}
    job: Job = JobFactory(**ended, results={"kpis": ALL_ARRIVED})
    return job


def pages_of(job: Job) -> list[str]:
    return [
        f"/t/{job.tenant_id}/jobs/{job.pk}", f"/cluster/jobs/{job.pk}/", f"/admin/simulations/job/{job.pk}/change/"
    ]  # fmt: skip


def test_a_run_without_doubts_is_green_everywhere(admin_client: Client, job: Job) -> None:
    for address in pages_of(job):
        page = admin_client.get(address).text
        assert "Complete: 300 of 300 trips" in page
        assert "Read with care" not in page
        assert ('class="verdict ok"' in page) or ('sk-badge--ok">Complete' in page)


def store_manifest(job: Job, **said: object) -> None:
    told = json.dumps({"outcome": "succeeded", **said}).encode()
    manifest = Artifact(job=job, attempt=1, name="manifest.json", size_bytes=len(told), sha256="0" * 64)
    manifest.file.save(f"results/{job.pk}/manifest.json", ContentFile(told))


def test_a_run_to_be_read_with_care_is_green_nowhere(admin_client: Client, job: Job) -> None:
    store_manifest(job, warnings=[CARE])
    for address in pages_of(job):
        page = admin_client.get(address).text
        for shown in ("Complete: 300 of 300 trips", "Read with care", CARE["message"], CARE["hint"]):
            assert shown in page, (address, shown)
        assert ('class="verdict warn"' in page) or ('sk-badge--warn">Complete' in page)
        assert "sk-badge--ok" not in page


def test_pages_list_all_errors_that_the_api_lists(admin_client: Client, job: Job) -> None:
    """Its row has the first few."""
    errors = [{"code": "sumo.load", "message": f"Edge 'e{n}' is not known."} for n in range(9)]
    store_manifest(job, outcome="sumo_failed", errors=errors)
    Job.objects.update(status="FAILED", reason="SUMO_FAILED", results={"errors": errors[:5]})
    for address in pages_of(job)[:2]:
        page = admin_client.get(address).text
        assert all(f"Edge &#x27;e{n}&#x27;" in page for n in range(9))


def test_a_waiting_job_says_where_in_line_it_is_on_each_page(admin_client: Client, job: Job) -> None:
    waiting: Job = JobFactory(tenant=job.tenant, scenario=job.scenario)
    told = tell(waiting, line_for(waiting.tenant, [waiting])).message
    assert told.startswith("Next in line")
    scenario = f"/t/{job.tenant_id}/scenarios/{job.scenario.scenario_id}"
    for address in (*pages_of(waiting), f"/t/{job.tenant_id}/jobs", scenario):
        assert told in admin_client.get(address).text, address
