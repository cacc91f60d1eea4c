"""What watches tell of an ending is recorded without a list, and what else there is to do with it is the pass's."""

import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

from clusterops.errors import GatewayError
from clusterops.models import FairShare
from clusterops.reconciler import loop as looping
from clusterops.reconciler.doorbell import WATCHED, Bell, Doorbell
from clusterops.reconciler.loop import between_passes
from clusterops.reconciler.told import record_told
from clusterops.usage.models import PodRun
from simulations.models import Job, JobEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ends(loop: Any, submit: Any, tmp_path: Any) -> Any:
    """Run a job until it has ended in the cluster, with no pass after that; the watches have told of it."""

    def ends(**fate: Any) -> Job:
        job: Job = submit(hold=str(tmp_path / "go"), **fate)
        loop.until_reason(job, "RUNNING")
        (tmp_path / "go").touch()
        loop.gateway.api.items("/api/v1/pods")
        tell(loop)
        return job

    return ends


def tell(loop: Any) -> None:
    for kind in ("jobs", "pods"):
        for _ in loop.gateway.watch(kind, threading.Event()):
            pass


def without_lists(loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop.gateway.api, "items", lambda *_, **__: pytest.fail("a list was asked for"))


def test_it_is_recorded_between_two_passes_and_the_next_job_starts(
    loop: Any, submit: Any, city: Any, ends: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    city.max_concurrent_jobs = 1
    city.save()
    job = ends(cpu_request=2)
    waiting = submit()
    stop, bell = threading.Event(), Doorbell(threading.Event())
    bell.ring(Bell.PASS | Bell.ENDED)
    with monkeypatch.context() as patch:
        without_lists(loop, patch)
        patch.setattr(looping, "close_old_connections", lambda: None)  # the test's own transaction is open
        loop.last.lists_s = 0.3  # the rest that the bell for a pass does not cut short
        between_passes(loop.last, 0.0, 30.0, bell, stop, lambda: True)
    job.refresh_from_db()
    waiting.refresh_from_db()
    assert (job.status, job.reason, job.exit_code) == ("SUCCEEDED", "COMPLETED", 0)
    assert job.results["outcome"] == "succeeded"
    assert JobEvent.objects.filter(job=job, status__in=Job.TERMINAL).count() == 1
    assert waiting.dispatched_at
    run = PodRun.objects.get(job_id=job.pk)
    assert (run.ending, run.billable) == ("COMPLETED", True)
    # What follows is the pass's: its use is charged, its log is kept, its Job is let go and not deleted.
    assert job.released_at is None
    this_pass = loop.once()
    assert FairShare.objects.get(tenant=city).cpu_s >= 2
    assert loop.memory.ended == []
    assert (this_pass.counts.released, this_pass.counts.deleted) == (1, 0)
    [spec] = [each["spec"] for (kind, _, name), each in loop.gateway.api.objects.items() if name == job.k8s_job_name]
    assert spec["ttlSecondsAfterFinished"] == settings.JOB_TTL_AFTER_CAPTURE_SECONDS


def test_what_is_told_while_a_pass_takes_its_lists_is_let_go_by_the_one_after(
    loop: Any, submit: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the Jobs' list it still runs; a pass that went by that would delete it."""
    job = submit(hold=str(tmp_path / "go"))
    loop.until_reason(job, "RUNNING")
    items, api = loop.gateway.api.items, loop.gateway.api

    def told_between(path: str, **options: Any) -> Any:
        found = items(path, **options)
        if path.endswith("/jobs"):
            (tmp_path / "go").touch()
            items("/api/v1/pods")
            tell(loop)
            options["between"]()
            job.refresh_from_db()
            assert job.status == "SUCCEEDED"
        return found

    monkeypatch.setattr(api, "items", told_between)
    this_pass = loop.once()
    job.refresh_from_db()
    assert job.released_at is None
    assert (this_pass.counts.deleted, this_pass.counts.strays, this_pass.jobs) == (0, 0, [])
    monkeypatch.setattr(api, "items", items)
    loop.once()
    job.refresh_from_db()
    assert job.released_at
    assert JobEvent.objects.filter(job=job, status__in=Job.TERMINAL).count() == 1


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        ({"exit": 65, "outcome": "invalid_scenario"}, "INVALID_SCENARIO"),
        ({"exit": 75, "outcome": "interrupted"}, ""),  # another attempt follows
        ({"exit": 0, "silent": True}, ""),  # its report may be among its results
        ({"exit": 137, "silent": True}, ""),  # why is in doubt
    ],
)
def test_only_plain_endings_are_recorded(loop: Any, ends: Any, fate: dict[str, Any], reason: str) -> None:
    job = ends(**fate)
    assert record_told(loop.last) == bool(reason)
    job.refresh_from_db()
    assert (job.status, job.reason) == (("FAILED", reason) if reason else ("RUNNING", "RUNNING"))
    assert [each.pk for each in loop.last.jobs] == ([] if reason else [job.pk])


def test_of_another_attempt_nothing_is_recorded(loop: Any, ends: Any) -> None:
    job = ends()
    Job.objects.filter(pk=job.pk).update(k8s_job_name=job.name_of_attempt(2), attempt=2)
    assert not record_told(loop.last)
    assert Job.objects.get().status == "RUNNING"


def test_a_wish_to_cancel_that_came_too_late_is_answered(loop: Any, ends: Any) -> None:
    job = ends()
    assert Job.objects.get(pk=job.pk).request_cancel()
    assert record_told(loop.last)
    job.refresh_from_db()
    assert job.status == "SUCCEEDED"
    assert job.message.endswith("It ended before it could be cancelled.")
    assert job.finished_at - job.started_at < timedelta(seconds=60)


@pytest.mark.local_cluster
def test_a_real_watch_tells_it(
    loop: Any, submit: Any, gateway: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submit(hold=str(tmp_path / "go"))
    loop.until_reason(job, "RUNNING")
    stop, begun = threading.Event(), threading.Barrier(len(WATCHED) + 1)
    bell, lines = Doorbell(stop), gateway.api.lines
    monkeypatch.setattr(gateway.api, "lines", lambda *path, **query: begun.wait(20) >= 0 and lines(*path, **query))

    def watch(kind: str) -> None:
        with suppress(GatewayError):  # the cluster's end
            bell._watch(gateway, kind)

    for kind in WATCHED:
        threading.Thread(target=watch, args=(kind,), daemon=True).start()
    begun.wait(20)
    (tmp_path / "go").touch()
    until = time.monotonic() + 20
    while Bell.ENDED not in bell.wait(1):
        assert time.monotonic() < until
    stop.set()
    assert record_told(loop.last)
    job.refresh_from_db()
    assert (job.status, job.reason) == ("SUCCEEDED", "COMPLETED")
