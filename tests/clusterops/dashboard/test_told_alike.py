"""A job's pages, its tenant's and staff's two, say the same of it in the same colour."""

import json
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from simulations.models import Artifact, Job
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


def test_a_run_to_be_read_with_care_is_green_nowhere(admin_client: Client, job: Job) -> None:
    told = json.dumps({"outcome": "succeeded", "warnings": [CARE]}).encode()
    manifest = Artifact(job=job, attempt=1, name="manifest.json", size_bytes=len(told), sha256="0" * 64)
    manifest.file.save(f"results/{job.pk}/manifest.json", ContentFile(told))
    for address in pages_of(job):
        page = admin_client.get(address).text
        for shown in ("Complete: 300 of 300 trips", "Read with care", CARE["message"], CARE["hint"]):
            assert shown in page, (address, shown)
        assert ('class="verdict warn"' in page) or ('sk-badge--warn">Complete' in page)
        assert "sk-badge--ok" not in page
