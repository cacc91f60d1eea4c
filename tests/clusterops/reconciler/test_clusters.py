"""Two clusters of one installation: a reconciler each, and nothing of one's is another's."""

import threading
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clusterops.errors import NotConfigured
from clusterops.gateway import Gateway, KubeApi, gateway_of, path_of
from clusterops.models import ClusterSample, FairShare, ReconcilerState, TenantNamespace
from clusterops.reconciler.leader_lock import Lock
from simulations.models import Job, JobEvent
from tenants.clusters import FIRST, Cluster
from tenants.models import Tenant
from tests.clusterops.fake_api import FakeApi
from tests.clusterops.reconciler.conftest import Loop, fate_cluster_in
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def far(db: None) -> Cluster:
    return Cluster.objects.create(name="far", region="north", service_url="https://sumo.example.org")


def loop_of(cluster: Cluster, api: Any) -> Loop:
    loop = Loop(Gateway(api, cluster.label))
    loop.memory.cluster_id = cluster.pk
    return loop


@pytest.fixture
def there(far: Cluster) -> Loop:
    return loop_of(far, FakeApi())


@pytest.fixture
def settler(far: Cluster) -> Tenant:
    return TenantFactory(cluster=far, max_concurrent_jobs=5)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def of(tenant: Tenant, submit: Callable[..., Job], number: int, **fate: Any) -> list[Job]:
    tenant.refresh_from_db()
    jobs = [submit(tenant, **fate) for _ in range(number)]
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(cluster=tenant.cluster)
    return jobs


def in_cluster(loop: Loop) -> set[str]:
    return {run.job_id for run in loop.gateway.list_runs()}


def test_each_reconciler_attends_to_its_own(loop, there, submit, city, settler, far, tmp_path) -> None:
    go = tmp_path / "go"
    here, away = of(city, submit, 2, hold=str(go)), of(settler, submit, 2, hold=str(go))
    for _ in range(3):
        loop.memory.done_at.clear()
        loop.once()
    assert in_cluster(loop) == {job.pk.hex for job in here}
    assert in_cluster(there) == set()
    assert loop.last is not None
    assert loop.last.counts.queued == 0  # the others wait in another line
    for _ in range(3):
        there.memory.done_at.clear()
        there.once()
    assert in_cluster(there) == {job.pk.hex for job in away}
    for one, other in ((loop, there), (there, loop)):
        one.memory.done_at.clear()
        counts = one.once().counts
        assert (counts.jobs, counts.runs, counts.strays, counts.deleted, counts.repaired) == (2, 2, 0, 0, 0)
        assert len(in_cluster(other)) == 2
    assert set(ReconcilerState.objects.values_list("cluster", flat=True)) == {FIRST, far.pk}
    assert ClusterSample.objects.filter(cluster=far).exists()
    assert TenantNamespace.objects.get(tenant=settler).cluster == far
    made = there.gateway.api.items(path_of("jobs", settler.namespace))[0]
    assert made["metadata"]["labels"]["sumok8.io/cluster"] == "far"
    [container] = made["spec"]["template"]["spec"]["containers"]
    assert {"name": "SUMOK8_URL", "value": "https://sumo.example.org"} in container["env"]
    go.touch()
    loop.until_ended(*here)
    there.until_ended(*away)


def test_two_rows_that_lead_to_one_api_server_keep_apart(loop, far, submit, city, settler, tmp_path) -> None:
    go = tmp_path / "go"
    there = loop_of(far, loop.gateway.api)
    here, away = of(city, submit, 1, hold=str(go)), of(settler, submit, 1, hold=str(go))
    for one in (loop, there, loop, there):
        one.memory.done_at.clear()
        one.once()
    assert (in_cluster(loop), in_cluster(there)) == ({here[0].pk.hex}, {away[0].pk.hex})
    go.touch()
    loop.until_ended(*here)
    there.until_ended(*away)


def test_a_tenant_moves_in_the_middle_and_no_job_is_in_both_or_lost(loop, there, submit, city, far, tmp_path) -> None:
    go = tmp_path / "go"
    jobs = of(city, submit, 12, hold=str(go))
    loop.until(lambda: Job.objects.filter(status="RUNNING").count() == 5)
    said = run("move_tenant", city.pk, "--to", "far")
    assert "7 job(s) that had not begun came along" in said
    assert "5 job(s) have begun elsewhere" in said
    jobs += of(city, submit, 1, hold=str(go))
    there.once()
    loop.once()
    assert in_cluster(there) == set()  # the slots are in use in the other cluster
    assert len(in_cluster(loop)) == 5
    begun = in_cluster(loop)
    one = Job.objects.filter(cluster=FIRST).first()
    assert one
    one.request_cancel()
    loop.until(lambda: not Job.objects.active().filter(pk=one.pk).exists())
    there.until(lambda: len(in_cluster(there)) == 1)
    go.touch()
    seen_there: set[str] = set()
    while Job.objects.active().exists():
        loop.once()
        there.once()
        seen_there |= in_cluster(there)
    assert not begun & seen_there
    assert len(begun | seen_there) == len(jobs)
    assert JobEvent.objects.filter(status="SUCCEEDED").count() == len(jobs) - 1
    assert TenantNamespace.objects.get(tenant=city).cluster == far
    assert "0 job(s) that had not begun came along" in run("move_tenant", city.pk, "--to", "far")


def test_what_begins_again_after_a_move_begins_where_it_was(loop, there, submit, city, far, tmp_path) -> None:
    [job] = of(city, submit, 1, hold=str(tmp_path / "go"))
    loop.until_reason(job, "RUNNING")
    run("move_tenant", city.pk, "--to", "far")
    Job.objects.filter(pk=job.pk).update(attempt=2, dispatched_at=None, k8s_job_name=job.name_of_attempt(2))
    there.once()
    loop.until(lambda: any(each.attempt == 2 for each in loop.gateway.list_runs()))
    assert in_cluster(there) == set()
    assert not FairShare.objects.filter(tenant=city, cpu_s__gt=3600).exists()


def test_a_tenant_lives_where_it_may(far, city) -> None:
    Tenant.objects.filter(pk=city.pk).update(allowed_regions=["south"])
    with pytest.raises(CommandError, match="bound to south"):
        run("move_tenant", city.pk, "--to", "far")
    city.refresh_from_db()
    assert city.cluster_id == FIRST


def test_a_cluster_that_is_drained_or_down_starts_nothing(there, submit, settler, far, tmp_path) -> None:
    go = tmp_path / "go"
    [begun] = of(settler, submit, 1, hold=str(go))
    there.until_reason(begun, "RUNNING")
    [waits] = of(settler, submit, 1)
    for state, words in (("draining", "takes no new jobs"), ("down", "is down")):
        Cluster.objects.filter(pk=far.pk).update(state=state)
        there.once()
        waits.refresh_from_db()
        assert (waits.dispatching_at, words in waits.message) == (None, True)
    Cluster.objects.filter(pk=far.pk).update(state="active")
    go.touch()
    there.until_ended(begun, waits)


def test_lost_is_an_operators_word(loop, there, submit, settler, far, tmp_path) -> None:
    go = tmp_path / "go"
    [job] = of(settler, submit, 1, hold=str(go))
    there.until_reason(job, "RUNNING")
    with pytest.raises(CommandError, match="is active"):
        run("declare_lost", "far", "--yes")
    Cluster.objects.filter(pk=far.pk).update(state="down")
    assert "1 job(s) would end as LOST" in run("declare_lost", str(job.pk))
    assert "1 job(s) ended as LOST" in run("declare_lost", "far", "--yes")
    job.refresh_from_db()
    assert (job.status, job.reason) == ("FAILED", "LOST")
    loop.once()
    assert in_cluster(there) == {job.pk.hex}
    there.until(lambda: not in_cluster(there))  # it answers again: what still ran is ended
    with pytest.raises(CommandError, match="There is no cluster nowhere"):
        run("declare_lost", "nowhere")


def test_a_row_restored_from_before_the_move_follows_what_runs(loop, there, submit, settler, far, tmp_path) -> None:
    [job] = of(settler, submit, 1, hold=str(tmp_path / "go"))
    there.until_reason(job, "RUNNING")
    Job.objects.filter(pk=job.pk).update(
        cluster=FIRST, status="PENDING", dispatched_at=None, dispatching_at=None, started_at=None
    )
    there.once()
    job.refresh_from_db()
    assert (job.cluster, job.status) == (far, "RUNNING")
    loop.once()
    assert in_cluster(loop) == set()


def test_what_is_done_once_is_done_by_one_that_sees_its_cluster(far) -> None:
    stop, first, second = threading.Event(), Lock(), Lock(far.pk)
    try:
        assert first.wait(stop, 0)
        assert second.wait(stop, 0)
        for lock in (first, second):
            lock.take_all(True)
        assert (first.works_for_all, second.works_for_all) == (True, False)
        first.take_all(False)
        second.take_all(True)
        first.take_all(True)
        assert (first.works_for_all, second.works_for_all) == (False, True)
        assert first.held()
        assert second.held()
    finally:
        first.release()
        second.release()


@pytest.mark.local_cluster
def test_one_is_away_and_the_other_never_notices(loop, submit, city, settler, far, tmp_path, settings) -> None:
    go = tmp_path / "go"
    with fate_cluster_in(tmp_path / "far", cpu="100", memory="100Gi") as cluster:
        kubeconfig = str(cluster.config.kubeconfig)
        there = loop_of(far, KubeApi(kubeconfig))
        away, here = of(settler, submit, 2, hold=str(go)), of(city, submit, 2, hold=str(go))
        there.until(lambda: Job.objects.filter(cluster=far, status="RUNNING").count() == 2)
        settings.KUBE_CONFIG_PATH = str(tmp_path / "nowhere")
        Cluster.objects.filter(pk=far.pk).update(kubeconfig=kubeconfig)
        log = client_with(issue_key(settler)).get(f"/jobs/{away[0].pk}/logs").json()
        assert (log["source"], "attempt 1" in log["logs"]) == ("live", True)
        with pytest.raises(NotConfigured, match="nowhere"):
            gateway_of(Cluster(pk=far.pk, kubeconfig=kubeconfig, context="nowhere"))
        assert "0 of 2 simulation pod(s)" in run("delete_orphan_pods", "--cluster", "far", "--dry-run")
        cluster.stop()
        waiting = of(settler, submit, 1)
        assert not there.once().seen
        loop.until(lambda: Job.objects.filter(cluster=FIRST, status="RUNNING").count() == 2)
        assert loop.last is not None
        assert (loop.last.seen, loop.last.counts.errors) == (True, 0)
        seen = dict(ReconcilerState.objects.values_list("cluster", "cluster_reachable"))
        assert seen == {FIRST: True, far.pk: False}
        go.touch()
        loop.until_ended(*here)
        assert not Job.objects.filter(cluster=far, finished_at__isnull=False).exists()
        cluster.start()
        there.gateway = Gateway(KubeApi(kubeconfig), far.label)
        there.until_ended(*away, *waiting)
    for job in (*here, *away, *waiting):
        assert (job.status, job.attempt) == ("SUCCEEDED", 1)
        assert JobEvent.objects.filter(job=job, status="SUCCEEDED").count() == 1
