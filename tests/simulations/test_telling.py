"""What is told of a job beyond its row: a wish to cancel, a silent service; the same wherever it is shown."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from client.text import line_of
from clusterops.models import ReconcilerState
from simulations import attention
from simulations.models import Job
from simulations.telling import tell
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


def looked(seconds_ago: float, saw_seconds_ago: float | None = None) -> None:
    now = timezone.now()
    saw = now - timedelta(seconds=saw_seconds_ago if saw_seconds_ago is not None else seconds_ago)
    times = {"pass_finished_at": now - timedelta(seconds=seconds_ago), "last_success_at": saw}
    ReconcilerState.objects.update_or_create(pk=1, defaults=times)
    attention.forget()


@pytest.mark.parametrize(
    "columns, reason, words",
    [
        ({}, "QUEUED", "Waiting for a free slot."),
        ({"cancel_requested_at": timezone.now()}, "CANCELLING", "it ends within seconds"),
        (
            {"cancel_requested_at": timezone.now(), "dispatched_at": timezone.now(), "reason": "STARTING"},
            "CANCELLING",
            "is being stopped",
        ),
        (
            {"cancel_requested_at": timezone.now(), "status": "RUNNING", "reason": "CANCELLING", "message": "Orphan."},
            "CANCELLING",
            "Orphan.",
        ),
        (
            {"cancel_requested_at": timezone.now(), "status": "SUCCEEDED", "reason": "COMPLETED", "message": "Done.",
             "finished_at": timezone.now()},
            "COMPLETED",
            "Done.",
        ),
    ],
)  # fmt: skip
def test_a_wish_to_cancel_is_told_at_once(columns: Any, reason: str, words: str) -> None:
    told = tell(JobFactory(**columns))
    assert told.reason == reason
    assert words in told.message


@pytest.mark.parametrize(
    "seconds, saw, words",
    [(200, None, "not looked at its jobs for 3 minutes"), (1, 200, "The cluster has not answered for 3 minutes")],
)
def test_a_silent_service_is_told_wherever_a_job_waits_or_runs(
    seconds: float, saw: float, words: str, api: Any, admin_api: Any, superuser: Client, tenant: Any
) -> None:
    waiting = JobFactory(tenant=tenant)
    running = JobFactory(tenant=tenant, status="RUNNING", reason="RUNNING", message="Simulating.", progress={
        "sim_time": 60, "percent": 1.0, "running": 3}, progress_at=timezone.now())  # fmt: skip
    ended = JobFactory(tenant=tenant, status="FAILED", reason="LOST", message="Lost.", finished_at=timezone.now())
    looked(seconds, saw)
    for job in (waiting, running):
        shown = api.get(f"/jobs/{job.pk}").json()
        assert words in shown["message"]
        assert shown["silent_since"].endswith("Z")
        assert words in line_of(shown)
        assert words in api.get(f"/jobs/{job.pk}/logs").json()["message"]
        assert words in superuser.get(f"/admin/simulations/job/{job.pk}/change/").content.decode()
        assert words in superuser.get(f"/cluster/jobs/{job.pk}/").content.decode()
    shown = api.get(f"/jobs/{ended.pk}").json()
    assert (shown["message"], shown["silent_since"]) == ("Lost.", None)
    assert sum(words in row["message"] for row in api.get("/jobs").json()["jobs"]) == 2
    assert sum(words in row["message"] for row in admin_api.get("/admin/jobs").json()["jobs"]) == 2
    dashboard = api.get("/tenants/me/dashboard").json()
    assert words in dashboard["notice"]
    assert sum(words in row["message"] for row in dashboard["recent_jobs"]) == 2
    assert superuser.get("/cluster/").content.decode().count(words) >= 1


def test_all_is_well(api: Any, tenant: Any) -> None:
    job = JobFactory(tenant=tenant)
    looked(1)
    assert api.get("/tenants/me/dashboard").json()["notice"] == ""
    shown = api.get(f"/jobs/{job.pk}").json()
    assert (shown["message"], shown["silent_since"]) == ("Next in line; 0 of 2 slots in use.", None)


def test_cancelling_is_told_in_every_place(api: Any, admin_api: Any, superuser: Client, tenant: Any) -> None:
    job = JobFactory(tenant=tenant, dispatched_at=timezone.now(), reason="STARTING", message="Preparing.")
    api.post(f"/jobs/{job.pk}/cancel")
    words = "Its cancellation was asked for"
    assert Job.objects.get().message == "Preparing."
    for shown in (
        api.get(f"/jobs/{job.pk}").json(),
        api.get("/jobs").json()["jobs"][0],
        api.get(f"/jobs/{job.pk}/logs").json(),
        api.get("/tenants/me/dashboard").json()["recent_jobs"][0],
        admin_api.get("/admin/jobs").json()["jobs"][0],
    ):
        assert (shown["reason"], words in shown["message"]) == ("CANCELLING", True)
    for page in (f"/admin/simulations/job/{job.pk}/change/", "/admin/simulations/job/", "/cluster/",
                 "/cluster/jobs/", f"/cluster/jobs/{job.pk}/"):  # fmt: skip
        assert words in superuser.get(page).content.decode(), page
