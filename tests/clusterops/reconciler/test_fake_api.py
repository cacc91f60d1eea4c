"""One contract for the cluster in memory and the local one: what the reconciler's tests rely on, both do alike."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clusterops import errors
from clusterops.contract import NamespaceSpec, Phase, Run, RunSpec
from clusterops.gateway import Gateway, KubeApi
from localcluster.cluster import LocalCluster
from tests.clusterops.fake_api import FakeApi

pytestmark = pytest.mark.django_db  # the installation's id lies in the database
LIMITS = {"unpacked_bytes": 2**20, "output_bytes": 2**20}


@pytest.fixture(params=["in memory", "local cluster"])
def cluster(request: pytest.FixtureRequest) -> Gateway:
    if request.param == "in memory":
        return Gateway(FakeApi())  # type: ignore[arg-type]
    local: LocalCluster = request.getfixturevalue("fate_cluster")
    return Gateway(KubeApi(str(local.config.kubeconfig)))


@pytest.fixture
def place() -> NamespaceSpec:
    name = f"city-{uuid.uuid4().hex[:10]}"
    return NamespaceSpec(name, name, max_cpu=10, max_memory_gi=20, max_concurrent_jobs=5)


@pytest.fixture
def start(cluster: Gateway, place: NamespaceSpec) -> Callable[..., RunSpec]:
    def _start(**fate: Any) -> RunSpec:
        cluster.ensure_namespace(place)
        spec = run_spec(place, **fate)
        assert cluster.start_run(spec)
        return spec

    return _start


def run_spec(place: NamespaceSpec, **fate: Any) -> RunSpec:
    job_id = uuid.uuid4().hex
    description = {"job_id": job_id, "attempt": 1, "options": fate, "limits": LIMITS}
    return RunSpec(
        job_id, place.tenant_id, place.namespace, f"sim-{job_id}", 1, "town", 1, 1, description=description, token="t"
    )


def listed(cluster: Gateway, spec: RunSpec) -> Run | None:
    return next((run for run in cluster.list_runs() if run.name == spec.name), None)


def until(cluster: Gateway, spec: RunSpec, holds: Callable[[Run | None], bool]) -> Run | None:
    deadline = time.monotonic() + 20
    while not holds(run := listed(cluster, spec)):
        assert time.monotonic() < deadline, run
        time.sleep(0.01)
    return run


def reaches(cluster: Gateway, spec: RunSpec, phase: Phase) -> Run:
    run = until(cluster, spec, lambda run: run is not None and run.phase is phase)
    assert run is not None
    return run


def test_a_run_from_its_start_to_its_decided_end(cluster, start, place, tmp_path: Path) -> None:
    spec = start(hold=str(tmp_path / "go"), report={"kpis": {"teleports": 3}})
    run = reaches(cluster, spec, Phase.RUNNING)
    assert (run.job_id, run.attempt, run.tenant_id, run.job_exists) == (spec.job_id, 1, place.tenant_id, True)
    assert run.pod_name.startswith(spec.name)
    assert run.node_name
    assert (run.exit_code, run.report, run.decided, run.deleting) == (None, None, False, False)
    (tmp_path / "go").touch()
    ended = until(cluster, spec, lambda run: run is not None and run.decided)
    assert ended is not None
    assert (ended.phase, ended.exit_code, ended.pod_name) == (Phase.SUCCEEDED, 0, run.pod_name)
    assert ended.report is not None
    assert ended.report["kpis"] == {"teleports": 3}
    assert ended.started_at == run.started_at
    assert ended.started_at <= ended.finished_at


@pytest.mark.parametrize(
    "fate, reason, outcome",
    [
        ({"exit": 65, "outcome": "invalid_scenario"}, "INVALID_SCENARIO", "invalid_scenario"),
        ({"exit": 75, "outcome": "interrupted"}, "INTERRUPTED", "interrupted"),
        ({"exit": 3, "silent": True}, "RUNNER_ERROR", None),
    ],
)
def test_a_failed_run_says_why(cluster, start, fate, reason, outcome) -> None:
    spec = start(**fate)
    run = until(cluster, spec, lambda run: run is not None and run.decided)
    assert run is not None
    assert (run.phase, run.reason, run.exit_code) == (Phase.FAILED, reason, fate["exit"])
    assert (run.report and run.report["outcome"]) == outcome


def test_what_is_there_is_not_made_again(cluster, start, place) -> None:
    spec = start()
    assert not cluster.start_run(spec)
    assert cluster.run_exists(spec.namespace, spec.name)
    assert not cluster.run_exists(spec.namespace, f"{spec.name}-2")
    with pytest.raises(errors.NotFound):
        cluster.start_run(run_spec(replace(place, namespace="nowhere")))


def test_a_deleted_run_ends_in_its_grace_and_goes(cluster, start, tmp_path: Path) -> None:
    spec = start(hold=str(tmp_path / "never"), linger=str(tmp_path / "may go"))
    reaches(cluster, spec, Phase.RUNNING)
    until(cluster, spec, lambda _: "attempt 1" in cluster.read_log(spec.namespace, listed(cluster, spec).pod_name))
    assert cluster.delete_run(spec.namespace, spec.name)
    ending = until(cluster, spec, lambda run: run is not None and not run.job_exists)
    assert ending is not None
    assert (ending.phase, ending.deleting, ending.orphan) == (Phase.ENDING, True, False)
    (tmp_path / "may go").touch()
    until(cluster, spec, lambda run: run is None)
    assert not cluster.delete_run(spec.namespace, spec.name)


def test_logs(cluster, start, tmp_path: Path) -> None:
    spec = start(hold=str(tmp_path / "never"), says=[{"n": 1}, {"n": 2}])
    pod = reaches(cluster, spec, Phase.RUNNING).pod_name
    until(cluster, spec, lambda _: '{"n": 2}' in cluster.read_log(spec.namespace, pod))
    assert cluster.read_log(spec.namespace, pod) == f'attempt 1 of {spec.job_id}\n{{"n": 1}}\n{{"n": 2}}\n'
    assert cluster.read_log(spec.namespace, pod, tail=1) == '{"n": 2}\n'
    stamped = cluster.read_log(spec.namespace, pod, timestamps=True)
    assert all(line[:2] == "20" and line[10] == "T" for line in stamped.splitlines())
    with pytest.raises(errors.NotFound):
        cluster.read_log(spec.namespace, "no-such-pod")
    cluster.delete_run(spec.namespace, spec.name)


def test_a_released_run_goes_by_itself(cluster, start) -> None:
    spec = start()
    until(cluster, spec, lambda run: run is not None and run.decided)
    assert cluster.release_run(spec.namespace, spec.name, ttl_s=0)
    until(cluster, spec, lambda run: run is None)
    assert not cluster.release_run(spec.namespace, spec.name, ttl_s=0)


def test_a_tenants_namespace(cluster, place) -> None:
    uid = cluster.ensure_namespace(place)
    assert cluster.ensure_namespace(place) == uid
    state = cluster.inspect_namespaces([place])[place.namespace]
    assert (state.uid, state.tenant_id, state.terminating, state.as_wanted) == (uid, place.tenant_id, False, True)
    assert not cluster.inspect_namespaces([replace(place, max_cpu=11)])[place.namespace].as_wanted
    cluster.ensure_namespace(replace(place, max_cpu=11))
    assert cluster.inspect_namespaces([replace(place, max_cpu=11)])[place.namespace].as_wanted
    assert cluster.namespaces()[place.namespace].uid == uid
    with pytest.raises(errors.NamespaceNotOurs):
        cluster.ensure_namespace(replace(place, tenant_id="another"))
