"""What time and offboarding delete, and what they leave."""

import os
import time
from datetime import timedelta
from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from simulations.models import Artifact, Job, JobEvent, JobLog, Scenario
from simulations.services import retention
from simulations.services.retention import erase_tenant
from simulations.services.storage import mend_counts
from tenants.errors import ApiError
from tenants.models import Tenant
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db
OLD = timedelta(days=100)


def prune(*arguments: str) -> str:
    out = StringIO()
    call_command("prune", "--days", "90", *arguments, stdout=out)
    return out.getvalue()


def stored(name: str, *, aged: bool = False) -> str:
    default_storage.save(name, ContentFile(b"1234"))
    if aged:
        then = time.time() - 2 * 86400
        os.utime(default_storage.path(name), (then, then))
    return name


def finished(tenant, ago: timedelta, **columns) -> Job:
    job = JobFactory(
        tenant=tenant, status="SUCCEEDED", finished_at=timezone.now() - ago, results={"kpis": {}}, **columns
    )
    name = stored(f"results/{job.job_id.hex}/1/abc")
    Artifact.objects.create(job=job, attempt=1, name="sumo.log", file=name, size_bytes=4, sha256="ab")
    JobLog.objects.create(job=job, text="log")
    return job


@pytest.fixture(autouse=True)
def storage_of_its_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def test_results_and_logs_of_old_jobs_go(tenant):
    old, young = finished(tenant, OLD), finished(tenant, timedelta(days=80))
    running = JobFactory(tenant=tenant, status="RUNNING", submitted_at=timezone.now() - OLD)
    Artifact.objects.create(job=running, attempt=1, name="a", file=stored("results/x/1/a"), size_bytes=4, sha256="ab")
    would = prune("--dry-run")
    assert would.startswith("Would delete 1 result file(s) (4 bytes), 1 log(s)")
    assert Artifact.objects.count() == 3
    mend_counts()
    assert prune() == would.replace("Would delete", "Deleted")
    assert {row.job_id for row in Artifact.objects.all()} == {young.pk, running.pk}
    assert [row.job_id for row in JobLog.objects.all()] == [young.pk]
    assert not default_storage.exists(f"results/{old.job_id.hex}/1/abc")
    assert default_storage.exists(f"results/{young.job_id.hex}/1/abc")
    assert Job.objects.get(pk=old.pk).results == {"kpis": {}}
    assert prune().startswith("Deleted 0 result file(s)")


@pytest.mark.django_db(transaction=True)
def test_superseded_scenario_versions_go(tenant):
    then = timezone.now() - OLD

    def version(number: int, **columns) -> Scenario:
        row = ScenarioFactory(
            **({"tenant": tenant, "scenario_id": "peak", "uploaded_at": then} | columns), version=number
        )
        stored(row.file.name)
        return row

    unused, used, newest = version(1), version(2), version(3)
    young, young_newest = (version(n, scenario_id="young", uploaded_at=timezone.now()) for n in (1, 2))
    just_superseded = version(1, scenario_id="long-lived")
    successor = version(2, scenario_id="long-lived", uploaded_at=timezone.now())
    shared_old, shared = (version(n, tenant=None, scenario_id="town") for n in (1, 2))
    JobFactory(tenant=tenant, scenario=used)
    assert "2 scenario version(s)" in prune("--dry-run")
    assert "2 scenario version(s)" in prune()
    left = {used, newest, young, young_newest, just_superseded, successor, shared}
    assert set(Scenario.objects.all()) == left
    assert not default_storage.exists(unused.file.name)
    assert not default_storage.exists(shared_old.file.name)
    assert default_storage.exists(newest.file.name)


def test_finished_jobs_go_by_setting_alone(tenant, settings, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    old = [finished(tenant, OLD) for _ in range(5)]
    for job in old:
        JobEvent.objects.create(job=job, status="SUCCEEDED", reason="COMPLETED", message="")
    unreleased = finished(tenant, OLD, dispatched_at=timezone.now() - OLD)
    young = finished(tenant, timedelta(days=95))
    running = JobFactory(tenant=tenant, status="RUNNING", submitted_at=timezone.now() - OLD)
    assert "7 log(s), 0 job(s)" in prune("--dry-run")
    settings.JOB_RETENTION_DAYS = 97
    assert "7 log(s), 5 job(s)" in prune("--dry-run")
    assert "7 log(s), 5 job(s)" in prune()
    assert set(Job.objects.all()) == {unreleased, young, running}
    assert not JobEvent.objects.exists()
    assert not default_storage.exists(f"results/{old[0].job_id.hex}/1/abc")


def test_files_without_a_row_go_once_they_are_a_day_old(tenant):
    scenario = ScenarioFactory(tenant=tenant)
    kept = [stored(scenario.file.name, aged=True), stored("scenarios/ab/fresh.zip"), stored("results/y/1/fresh")]
    gone = [stored("scenarios/cd/old.zip", aged=True), stored("results/z/1/old", aged=True)]
    gone.append(stored("scenarios/cd/old.zip.123.part", aged=True))
    assert "3 orphaned file(s)" in prune("--dry-run")
    assert "3 orphaned file(s)" in prune()
    assert all(default_storage.exists(name) for name in kept)
    assert not any(default_storage.exists(name) for name in gone)


def test_nothing_stored_yet(tenant):
    assert prune().endswith("0 orphaned file(s), 0 ended session(s), 0 old invitation(s).\n")


@pytest.mark.parametrize("days", ["0", "-1", "99999999"])
def test_days_are_checked(days):
    with pytest.raises(CommandError, match="whole number from 1"):
        call_command("prune", "--days", days)


def test_erasing_a_tenant_takes_everything_of_it_alone(tenant, other_tenant):
    other = finished(other_tenant, OLD)
    job = finished(tenant, OLD)
    stored(job.scenario.file.name)
    removed = erase_tenant(tenant=tenant)
    assert (removed.results, removed.scenario_versions) == (1, 1)
    assert list(Tenant.objects.all()) == [other_tenant]
    assert list(Job.objects.all()) == [other]
    assert not default_storage.exists(job.scenario.file.name)
    assert not default_storage.exists(f"results/{job.job_id.hex}/1/abc")


def test_a_busy_tenant_is_not_erased(tenant):
    JobFactory(tenant=tenant)
    with pytest.raises(ApiError, match="have not ended"):
        erase_tenant(tenant=tenant)
    assert Tenant.objects.exists()
