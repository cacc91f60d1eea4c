"""A log that cannot be read says nothing of the cluster: nobody's jobs wait for it, and it is given up in time."""

import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from clusterops import errors
from clusterops.reconciler import logs
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory
from simulations.models import Job, JobLog
from tests.clusterops.reconciler.canned import CannedApi, gateway_of
from tests.clusterops.reconciler.test_hostile_reports import GOOD, started_job
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db
DEAD = errors.ClusterUnreachable('Get "https://10.0.0.9:10250/containerLogs": no route to host', status=500)


def dead_on(api: CannedApi, *nodes: str) -> None:
    where = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in api.lists["pods"]}

    def log(pod: str) -> str:
        if where[pod] in nodes:
            raise DEAD
        return f"last words of {pod}\n"

    api.log = log


def test_three_finished_jobs_on_a_dead_node_stop_nobody() -> None:
    """The API server answers 500 for each of their logs, at every pass."""
    api, memory = CannedApi(), Memory()
    dead = [started_job() for _ in range(4)]
    for job in dead:
        api.add(job, message=GOOD, node="dead")
    alive = started_job()
    api.add(alive, message=GOOD, node="alive")
    dead_on(api, "dead")
    queued = JobFactory()
    this_pass = reconcile_once(gateway_of(api), memory)
    assert (this_pass.counts.created, this_pass.counts.errors, this_pass.unreachable) == (1, 0, 0)
    assert Job.objects.get(pk=queued.pk).dispatched_at
    assert [Job.objects.get(pk=job.pk).status for job in (*dead, alive)] == ["SUCCEEDED"] * 5
    assert JobLog.objects.get().job_id == alive.pk  # the node that answers is asked in the same pass
    assert Job.objects.get(pk=alive.pk).released_at
    assert not Job.objects.filter(pk__in=[job.pk for job in dead], released_at__isnull=False).exists()
    asked = len(api.asked_logs)
    reconcile_once(gateway_of(api), memory)
    assert len(api.asked_logs) == asked  # it rests, and so does its node
    Job.objects.update(finished_at=timezone.now() - timedelta(minutes=3))
    reconcile_once(gateway_of(api), memory)
    assert not Job.objects.filter(finished_at__isnull=False, released_at=None).exists()


def test_one_slow_answer_costs_two_seconds_and_a_dead_node_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: now))
    api, memory = CannedApi(), Memory()
    job = started_job()
    api.add(job, message=GOOD, node="slow")
    dead_on(api, "slow")
    rests = []
    for _ in range(7):
        reconcile_once(gateway_of(api), memory)
        rests.append(round(max(each.until for each in memory.silent.values()) - now))
        now += rests[-1] + 0.1
    assert rests == [2, 4, 8, 16, 30, 30, 30]
    assert len(api.asked_logs) == 7
    dead_on(api)
    reconcile_once(gateway_of(api), memory)
    assert job.log.is_final
    assert "slow" in memory.silent  # but not at rest
    assert not logs.resting(memory)


def test_reading_logs_has_a_time_box_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "READING_S", 0.05)
    api, memory = CannedApi(), Memory()
    jobs = [started_job() for _ in range(20)]
    for n, job in enumerate(jobs):
        api.add(job, message=GOOD, node=f"node-{n}")

    def slow(pod: str) -> str:
        time.sleep(0.05)
        return "text"

    api.log = slow
    this_pass = reconcile_once(gateway_of(api), memory)
    assert 1 <= len(api.asked_logs) < 20
    assert this_pass.more
    for _ in range(8):
        this_pass = reconcile_once(gateway_of(api), memory)
    assert Job.objects.filter(released_at__isnull=False).count() == 20
    assert JobLog.objects.filter(is_final=True).count() == 20


def test_a_run_that_must_go_does_not_wait_for_its_log() -> None:
    api = CannedApi()
    job = started_job(cancel_requested_at=timezone.now())
    api.add(job, exit_code=None, node="dead")
    dead_on(api, "dead")
    this_pass = reconcile_once(gateway_of(api))
    assert (api.deleted, this_pass.counts.errors) == ([job.k8s_job_name], 0)


def test_the_last_words_are_read_before_the_run_goes() -> None:
    api = CannedApi()
    job = started_job(cancel_requested_at=timezone.now())
    api.add(job, exit_code=None)
    order: list[str] = []
    delete = api.request

    def request(method: str, path: str, **more: Any) -> Any:
        order.append(method)
        return delete(method, path, **more)

    api.request = request  # type: ignore[method-assign]
    api.log = lambda pod: order.append("log") or "stopping\n"  # type: ignore[func-returns-value]
    reconcile_once(gateway_of(api))
    assert order.index("log") < order.index("DELETE")
    assert job.log.text == "stopping\n"


def test_what_was_captured_stays_when_there_is_nothing_to_read_any_more() -> None:
    api = CannedApi()
    job = started_job(pod_name="gone")
    JobLog.objects.create(job=job, text="captured while it ran", captured_at=timezone.now() - timedelta(hours=1))
    api.add(job, exit_code=None)

    def gone(pod: str) -> str:
        raise errors.NotFound("gone", status=404)

    api.log = gone
    reconcile_once(gateway_of(api))
    assert JobLog.objects.get().text == "captured while it ran"
