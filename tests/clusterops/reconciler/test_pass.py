"""What one pass costs and bounds: queries, rate, live logs, counts."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clusterops.errors import ClusterUnreachable
from clusterops.gateway import path_of
from clusterops.models import ClusterSample, ReconcilerState
from clusterops.reconciler.dispatch import BOX_S, dispatch
from clusterops.reconciler.loop import pause_after, rest_after
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Pass
from simulations.models import Job, JobLog
from tests.clusterops.reconciler.canned import CannedApi, gateway_of


def queries_of_a_quiet_pass(loop) -> int:
    loop.once()
    with CaptureQueriesContext(connection) as queries:
        this_pass = loop.once()
    assert this_pass.counts.changed == 0
    return len(queries)


def test_a_quiet_pass_costs_the_same_queries_however_many_jobs(loop, submit, city, tmp_path) -> None:
    city.max_concurrent_jobs = 20
    city.save()
    go = tmp_path / "go"
    jobs = [submit(hold=str(go))]
    loop.until_reason(jobs[0], "RUNNING")
    alone = queries_of_a_quiet_pass(loop)
    jobs += [submit(hold=str(go)) for _ in range(7)]
    loop.until(lambda: Job.objects.filter(status="RUNNING").count() == 8)
    assert queries_of_a_quiet_pass(loop) <= alone
    go.touch()
    loop.until_ended(*jobs)


def test_the_rate_bounds_what_a_pass_creates(loop, submit, settings, monkeypatch) -> None:
    settings.DISPATCH_PER_SECOND = 1
    monkeypatch.setattr("clusterops.reconciler.dispatch.BOX_S", 0.0)
    monkeypatch.setattr("clusterops.reconciler.rate.time", SimpleNamespace(monotonic=lambda: 1000.0))
    jobs = [submit() for _ in range(4)]
    this_pass = loop.once()
    assert this_pass.counts.created == 2  # of two seconds in which none was created
    assert this_pass.more_to_start
    dispatch(this_pass)
    assert this_pass.counts.created == 2
    settings.DISPATCH_PER_SECOND = 0
    dispatch(this_pass)
    assert this_pass.counts.created == 4
    loop.until_ended(*jobs)


def test_a_running_jobs_log_is_captured_now_and_then(loop, submit, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    loop.until_reason(job, "RUNNING")
    loop.until(lambda: loop.gateway.read_log(job.k8s_namespace, job.pod_name))

    def captured() -> JobLog | None:
        loop.memory.done_at.pop("live logs", None)
        JobLog.objects.filter(job=job).update(captured_at=timezone.now() - timedelta(minutes=2))
        return JobLog.objects.filter(job=job, text__contains="attempt 1").first()

    assert not loop.until(captured).is_final
    loop.memory.done_at.pop("live logs", None)
    assert loop.once().counts.logs == 1
    loop.memory.done_at.pop("live logs", None)
    assert loop.once().counts.logs == 0  # fresh enough
    go.touch()
    loop.until_ended(job)


def test_endings_are_recorded_before_anything_is_started_and_a_step_of_starts_has_an_end(
    loop, submit, city, monkeypatch, tmp_path
) -> None:
    """No limit of the rate, and more to start than a step comes to: each call to the cluster takes a tenth of it."""
    city.max_concurrent_jobs = city.max_cpu = city.max_memory_gi = 1000
    city.save()
    go = tmp_path / "go"
    running = [submit(hold=str(go)) for _ in range(3)]
    loop.until(lambda: Job.objects.filter(status="RUNNING").count() == 3)
    for _ in range(120):
        submit(hold=str(tmp_path / "never"))
    go.touch()
    now, seen = [0.0], []
    monkeypatch.setattr("clusterops.reconciler.dispatch.BATCH", 10)
    monkeypatch.setattr("clusterops.reconciler.dispatch.time", SimpleNamespace(monotonic=lambda: now[0]))
    start_run = loop.gateway.start_run

    def slow(spec) -> bool:
        now[0] += BOX_S / 10
        seen.append(Job.objects.filter(pk__in=[job.pk for job in running], status="SUCCEEDED").count())
        return bool(start_run(spec))

    monkeypatch.setattr(loop.memory.pool, "map", map)  # one after the other: this thread's transaction
    monkeypatch.setattr(loop.gateway, "start_run", slow)
    loop.once()
    assert set(seen) == {3}
    assert 10 <= len(seen) <= 20  # of 120: the box, and the batch that was begun in it
    assert loop.last.more_to_start


def test_a_cluster_that_asks_for_a_rest_gets_it_and_is_asked_again_soon(db) -> None:
    class Busy(CannedApi):
        def items(self, path, **_):
            raise ClusterUnreachable("429", status=429, retry_after_s=7.0)

    busy = reconcile_once(gateway_of(Busy()))
    assert (rest_after(busy, 0.2, 30), pause_after(busy, 30)) == (7.0, 5.0)
    assert rest_after(busy, 0.2, 2) == 2  # but not for longer than the interval
    busy.rest_s = 0.0
    assert rest_after(busy, 0.2, 30) == 0.2
    fine = Pass(busy.gateway, busy.memory, busy.now, seen=True, settled=True, lists_s=0.4)
    assert rest_after(fine, 9.0, 30) == 0.4  # as long as its lists took: endings do not wait for what else it did
    assert pause_after(fine, 30) == 30
    fine.more = True
    assert pause_after(fine, 30) < 1
    fine.unreachable = 1  # one call of many was not answered
    assert pause_after(fine, 30) == 5


def test_the_pass_leaves_word_and_a_sample(loop, submit, tmp_path) -> None:
    go = tmp_path / "go"
    job, queued = submit(hold=str(go), cpu_request=3), submit(cpu_request=9)
    loop.until_reason(job, "RUNNING")
    loop.memory.done_at.clear()
    loop.once()
    state = ReconcilerState.get()
    assert state.cluster_reachable
    assert state.error == ""
    assert state.counts["running"] == state.counts["queued"] == 1
    assert state.snapshot["nodes"][0]["ready"]
    sample = ClusterSample.objects.latest("at")
    assert (sample.running, sample.queued, sample.nodes_ready) == (1, 1, 1)
    assert sample.cpu_requested >= 3
    job.refresh_from_db()
    assert job.observed_at >= state.pass_started_at - timedelta(minutes=1)
    go.touch()
    loop.until_ended(job, queued)


@pytest.mark.local_cluster
def test_a_nodes_room_counts_pods_of_all_namespaces(loop, submit, gateway, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("clusterops.gateway.operations.ASK_OTHERS_EVERY_S", 0.0)
    job = submit(hold=str(tmp_path / "go"), cpu_request=3)
    loop.until_reason(job, "RUNNING")
    [before] = gateway.snapshot().nodes
    container = {"name": "dns", "image": "dns:1", "command": ["python", "-c", "import signal; signal.pause()"]}
    container["resources"] = {"requests": {"cpu": "600m", "memory": "70Mi"}}
    path = path_of("pods", "kube-system", "dns")
    body = {"metadata": {"name": "dns"}, "spec": {"containers": [container], "nodeName": before.name}}
    gateway.api.request("POST", path_of("pods", "kube-system"), body=body)
    try:
        [node] = gateway.snapshot().nodes
        assert node.cpu_requested - before.cpu_requested == pytest.approx(0.6)
        assert node.memory_requested - before.memory_requested == 70 * 2**20
        used = gateway.snapshot().usage_by_namespace
        assert used[job.k8s_namespace]["cpu"] == 3.0
        assert "kube-system" not in used
    finally:
        gateway.api.request("DELETE", path, body={"gracePeriodSeconds": 0})
        (tmp_path / "go").touch()
        loop.until_ended(job)
