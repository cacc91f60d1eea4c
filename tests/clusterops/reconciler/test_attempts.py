"""A job that begins again: fresh progress, and while it waits it says so, though its status never goes back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from clusterops.dashboard import overview
from clusterops.dashboard.clusters import chosen
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory
from simulations.models import Job
from tests.clusterops.reconciler.canned import CannedApi, gateway_of
from tests.clusterops.reconciler.test_hostile_reports import started_job

pytestmark = pytest.mark.django_db
PROGRESS = {"sim_time": 540.0, "percent": 90.0, "running": 7}


def interrupted(**columns: Any) -> tuple[Job, CannedApi, Memory]:
    job, api, memory = started_job(progress=PROGRESS, progress_at=timezone.now(), **columns), CannedApi(), Memory()
    api.add(job, message='{"outcome":"interrupted"}', exit_code=75)
    this_pass = reconcile_once(gateway_of(api), memory)
    assert this_pass.more
    job.refresh_from_db()
    assert (job.status, job.attempt, job.reason) == ("RUNNING", 2, "INTERRUPTED")
    return job, api, memory


def counted() -> tuple[int, int]:
    place = chosen({})
    counts, lists = overview.summary(place)["counts"], overview.jobs(place)
    assert (len(lists["running"]), len(lists["waiting"])) == (counts["running"], counts["queued"] + counts["starting"])
    return counts["running"], counts["queued"] + counts["starting"]


def test_it_starts_with_fresh_progress() -> None:
    job, _, _ = interrupted()
    assert (job.progress, job.progress_at) == (None, None)
    assert not Job.objects.record_progress(job.pk, 1, PROGRESS)  # the attempt before has no say any more
    assert Job.objects.record_progress(job.pk, 2, PROGRESS)


def test_while_it_waits_for_its_turn_it_is_queued_and_counted_as_waiting() -> None:
    job, api, memory = interrupted()
    other = started_job(tenant=job.tenant, k8s_namespace=job.k8s_namespace)
    api.add(other, exit_code=None)
    job.tenant.max_concurrent_jobs = 1
    job.tenant.save()
    this_pass = reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    assert (job.status, job.reason) == ("RUNNING", "QUEUED")
    assert job.message == "Attempt 2 of 3: Waiting for a free slot."
    assert (this_pass.counts.queued, this_pass.counts.running) == (1, 1)
    assert (job.waits, counted()) == (True, (1, 1))
    assert [event.reason for event in job.events.all()] == ["INTERRUPTED", "QUEUED"]


def test_while_its_pod_starts_it_is_starting_and_counted_as_waiting() -> None:
    job, api, memory = interrupted()
    reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    assert (job.status, job.reason) == ("RUNNING", "STARTING")
    api.add(job, exit_code=None)
    api.lists["pods"] = []
    this_pass = reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    assert (job.status, job.reason, this_pass.counts.starting) == ("RUNNING", "STARTING", 1)
    assert counted() == (0, 1)
    api.lists["jobs"].clear()
    api.add(job, exit_code=None)
    this_pass = reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    assert (job.reason, job.waits, this_pass.counts.running, counted()) == ("RUNNING", False, 1, (1, 0))


def test_while_the_pod_before_still_ends_it_says_so() -> None:
    job, api, memory = interrupted()
    api.lists["pods"].clear()
    before = Job(tenant_id=job.tenant_id, job_id=job.job_id, k8s_namespace=job.k8s_namespace)
    before.k8s_job_name = job.name_of_attempt(1)
    api.add(before, exit_code=None)
    for kind in ("jobs", "pods"):
        api.lists[kind][0]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    reconcile_once(gateway_of(api), memory)
    job.refresh_from_db()
    assert (job.status, job.reason, job.dispatched_at) == ("RUNNING", "QUEUED", None)
    assert "when the pod of the one before is gone" in job.message


def test_a_pod_that_replaces_another_within_the_attempt_starts_with_fresh_progress() -> None:
    job = started_job(progress=PROGRESS, progress_at=timezone.now() - timedelta(minutes=1), pod_name="drained")
    api = CannedApi()
    api.add(job, exit_code=None)
    reconcile_once(gateway_of(api))
    job.refresh_from_db()
    assert (job.progress, job.disruptions, job.attempt) == (None, 1, 1)
