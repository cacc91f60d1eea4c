"""What a job's page offers beside its figures: files as one zip, tables of its charts, a log that can be searched."""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from simulations import logs
from simulations.held import places
from simulations.models import Artifact, Job
from simulations.portal import zipped
from simulations.studies.models import Study
from tenants.models import Tenant
from tests.clusterops.dashboard import seed
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who


@pytest.fixture
def viewer(client_of: Who) -> Client:
    return client_of("viewer")


@pytest.fixture
def ran(tenant: Tenant, settings: Settings, tmp_path: Path) -> Job:
    """A job with files."""
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}
    job = JobFactory(tenant=tenant, results={"kpis": seed.KPIS})
    seed.store_results(job, rows=300)
    return job


def test_all_files_come_as_one_zip(viewer: Client, ran: Job) -> None:
    lost = Artifact.objects.create(job=ran, attempt=1, name="lost.xml", file="x/lost", size_bytes=1, sha256="0" * 64)
    answer = viewer.get(f"/t/city-a/jobs/{ran.pk}/files.zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as packed:
        assert packed.testzip() is None
        names = set(ran.artifacts.values_list("name", flat=True)) - {lost.name}
        assert set(packed.namelist()) == names | {zipped.GONE}
        with ran.artifacts.get(name="summary.csv.gz").file.open() as stored:
            assert packed.read("summary.csv.gz") == stored.read()
        assert packed.read(zipped.GONE) == b"lost.xml\n"


@pytest.mark.parametrize("stored", [True, False])
def test_doubts_about_the_figures_stand_before_them(viewer: Client, ran: Job, stored: bool) -> None:
    """The page is there all the same when the file is gone."""
    told = [
        {"code": "quality.unsorted", "message": "SUMO left out 30.", "hint": "Sort it."},
        {"code": "quality.dropped", "message": "9 were dropped."},
        {"code": "option.taken_over", "message": "Set by the run."},
    ]
    data = json.dumps({"outcome": "succeeded", "warnings": told}).encode()
    manifest = Artifact(job=ran, attempt=1, name="manifest.json", size_bytes=len(data), sha256="0" * 64)
    manifest.file.save(f"results/{ran.pk}/manifest.json", ContentFile(data))
    if not stored:
        manifest.file.storage.delete(manifest.file.name)
    Job.objects.update(status="SUCCEEDED", reason="COMPLETED", finished_at=timezone.now())
    page = viewer.get(f"/t/city-a/jobs/{ran.pk}").content.decode()
    assert ("SUMO left out 30. Sort it." in page) is ("Read with care" in page) is stored
    assert "Set by the run." not in page


def test_too_much_for_one_zip_is_refused_in_words(viewer: Client, ran: Job) -> None:
    ran.artifacts.filter(name="summary.csv.gz").update(size_bytes=zipped.MOST_BYTES)
    answer = viewer.get(f"/t/city-a/jobs/{ran.pk}/files.zip")
    assert (answer.status_code, "more than 4 GiB" in answer.content.decode()) == (409, True)


def test_a_zip_that_is_read_slowly_keeps_a_place_until_it_is_closed(
    viewer: Client, ran: Job, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """nginx takes over 16 MB at once; what is more keeps a thread while its reader takes its time."""
    monkeypatch.setattr(connection, "close_if_unusable_or_obsolete", lambda: None)  # the test's own
    settings.LOG_FOLLOWERS = 2  # one for each tenant
    address = f"/t/city-a/jobs/{ran.pk}/files.zip"
    before = places.taken
    first = viewer.get(address)
    assert (first.status_code, places.taken) == (200, before + 1)
    second = viewer.get(address)
    assert (second.status_code, second["Retry-After"]) == (503, "5")
    first.close()
    assert places.taken == before
    b"".join(viewer.get(address))
    assert places.taken == before


def test_numbers_of_the_charts_are_there_without_scripts(viewer: Client, ran: Job) -> None:
    page = viewer.get(f"/t/city-a/jobs/{ran.pk}/numbers").content.decode()
    assert "Mean speed, km/h" in page
    assert 100 < page.count("<tr>") <= 122 + len(viewer.get(f"/t/city-a/jobs/{ran.pk}/travel-times").json()["x"])


def test_travel_times_are_read_against_their_mean(viewer: Client, ran: Job) -> None:
    marks = viewer.get(f"/t/city-a/jobs/{ran.pk}/travel-times").json()["marks"]
    assert [mark["at"] for mark in marks] == [seed.KPIS["mean_travel_time_s"], seed.KPIS["p95_travel_time_s"]]


def test_a_log_is_searched_on_the_server(viewer: Client, ran: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_read", lambda job: logs.LogView("all well\nError: no route\nWarning: slow", "The end."))
    address = f"/t/city-a/jobs/{ran.pk}/log"
    page = viewer.get(f"{address}?level=error&find=route").content.decode()
    assert "2: Error: no route" in page
    assert "all well" not in page
    assert "The end. 1 of them contain “route” and are errors." in page
    assert "SUMO-K8</title>" not in viewer.get(address, headers={"HX-Request": "true"}).content.decode()
    saved = viewer.get(f"{address}?save=1&level=warning").content.decode()
    assert saved == "2: Error: no route\n3: Warning: slow"


def test_a_run_of_a_study_leads_to_it_and_tells_its_name(viewer: Client, tenant: Tenant) -> None:
    study = Study.objects.create(tenant=tenant, name="bus lane", seeds=[1], request={})
    job = JobFactory(tenant=tenant, labels={"study.id": str(study.pk), "study.cell": "lane", "day": "1"})
    JobFactory(tenant=tenant, labels={"study.id": "by hand"})
    page, rows = viewer.get(f"/t/city-a/jobs/{job.pk}").text, viewer.get("/t/city-a/jobs").text
    assert f'<a href="/t/city-a/studies/{study.pk}">bus lane</a>' in page
    assert "cell lane" in page
    for told in (">study: bus lane</a>", ">cell: lane</a>", ">day: 1</a>", ">study.id: by hand</a>"):
        assert told in rows


def test_the_tabs_title_follows_what_the_page_shows(viewer: Client, tenant: Tenant) -> None:
    job = JobFactory(tenant=tenant)
    whole, part = viewer.get(f"/t/city-a/jobs/{job.pk}").text, viewer.get(f"/t/city-a/jobs/{job.pk}/now").text
    assert whole.count("· Waiting · city-a</title>") == part.count("· Waiting · city-a</title>") == 1
    assert "Who can mend it" not in whole


def test_a_run_that_its_time_limit_will_stop_says_so_wherever_it_is_shown(viewer: Client, tenant: Tenant) -> None:
    begun = timezone.now() - timedelta(minutes=3)
    job = JobFactory(
        tenant=tenant,
        status="RUNNING",
        reason="RUNNING",
        started_at=begun,
        dispatched_at=begun,
        progress={"percent": 10.0, "eta_s": 61200.0, "running": 5, "sim_time": 60.0},
    )
    Job.objects.update(scenario_data=job.scenario_data | {"time_limit_s": 14400})
    JobFactory(tenant=tenant, scenario=job.scenario)
    Tenant.objects.update(max_concurrent_jobs=1)
    for address in ("/t/city-a", f"/t/city-a/jobs/{job.pk}"):
        page = viewer.get(address).text
        assert "will be stopped by its time limit in 3 h 5" in page
        assert "at about 31 %" in page
    assert "in about 3 h 5" in viewer.get("/t/city-a").text  # then the next may start
