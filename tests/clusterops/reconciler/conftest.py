"""A local cluster whose pods run a small program with a fate of the test's choosing, and the reconciler beside it."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clusterops.gateway import Gateway, KubeApi
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory, Pass
from localcluster.cluster import LocalCluster
from localcluster.config import Image
from simulations.models import Job
from tenants.models import Tenant
from tests.clusterops.fake_api import FakeApi
from tests.factories import JobFactory, TenantFactory
from tests.local_clusters import running

# Plays the runner as far as the reconciler can see it: environment in, log, termination message and exit code out.
PROGRAM = """
import json, os, signal, sys, time
job = json.loads(os.environ["SUMOK8_JOB"])
fate = job["options"]
def report(outcome, **more):
    body = {"v": 1, "outcome": outcome, "complete": outcome == "succeeded", "uploaded": True, "kpis": {}, **more}
    with open(os.environ["TERMINATION_MESSAGE_PATH"], "w") as file:
        file.write(json.dumps(body))
def interrupted(*_):
    print("stopping", flush=True)
    time.sleep(fate.get("grace", 0))
    while fate.get("linger") and not os.path.exists(fate["linger"]):
        time.sleep(0.02)
    report("interrupted")
    os._exit(75)
signal.signal(signal.SIGTERM, interrupted)
print("attempt", job["attempt"], "of", job["job_id"], flush=True)
for line in fate.get("says", ()):
    print(json.dumps(line), flush=True)
said = 0
while fate.get("hold") and not os.path.exists(fate["hold"]):
    time.sleep(0.02)
    if fate.get("chatter"):
        said += 1
        print("line", said, flush=True)
for line in fate.get("then", ()):
    print(json.dumps(line), flush=True)
while fate.get("end") and not os.path.exists(fate["end"]):
    time.sleep(0.02)
if fate.get("silent"):
    sys.exit(fate["exit"])
if "message" in fate:
    with open(os.environ["TERMINATION_MESSAGE_PATH"], "w") as file:
        file.write(fate["message"])
    sys.exit(fate.get("exit", 0))
report(fate.get("outcome", "succeeded"), **fate.get("report", {}))
sys.exit(fate.get("exit", 0))
"""


@contextmanager
def fate_cluster_in(folder: Path, **config: Any) -> Iterator[LocalCluster]:
    """A cluster in `folder` in whose images `python -m simulations.sumo` is PROGRAM."""
    package = folder / "runner" / "simulations" / "sumo"
    package.mkdir(parents=True)
    for init in (package, package.parent):
        (init / "__init__.py").write_text("")
    (package / "__main__.py").write_text(PROGRAM)
    image = Image(env={"PYTHONPATH": str(folder / "runner")})
    with running(folder, default_image=image, **config) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def fate_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    with fate_cluster_in(tmp_path_factory.mktemp("fate-cluster"), cpu="1000", memory="1000Gi") as cluster:
        yield cluster


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Gateway:
    """A cluster in memory; with the mark `local_cluster` the local one, whose pods are processes."""
    if request.node.get_closest_marker("local_cluster") is None:
        return Gateway(FakeApi())  # type: ignore[arg-type]
    return Gateway(KubeApi(str(request.getfixturevalue("fate_cluster").config.kubeconfig)))


@pytest.fixture
def city(db: None) -> Tenant:
    """A tenant with a namespace of the test's own, since the cluster is shared."""
    name = f"city-{uuid.uuid4().hex[:10]}"
    return TenantFactory(tenant_id=name, max_concurrent_jobs=5)


@pytest.fixture(autouse=True)
def _no_pacing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusterops.reconciler.logs.FIRST_LOG_AFTER", timedelta(0))
    monkeypatch.setattr("clusterops.policy.attention.VOLUME_LEAST_FREE", 0.0)  # this machine's disk is not the subject
    settings.DISPATCH_PER_SECOND = 0


class Loop:
    """The reconciler, one pass at a time, until something holds."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.memory = Memory(stop=threading.Event())
        self.last: Pass | None = None

    def once(self) -> Pass:
        self.last = reconcile_once(self.gateway, self.memory)
        return self.last

    def until(self, holds: Callable[[], Any], within_s: float = 20.0) -> Any:
        """Passes until `holds()` is true; fails with the last pass's counts."""
        deadline = time.monotonic() + within_s
        while True:
            self.once()
            if result := holds():
                return result
            if time.monotonic() > deadline:
                jobs = list(Job.objects.values_list("status", "reason", "message"))
                pytest.fail(f"not within {within_s} s; {self.last and self.last.summary()}; {jobs}")
            time.sleep(0.05)  # pods and controllers are processes and threads that need the cores as well

    def until_ended(self, *jobs: Job) -> None:
        ids = [job.pk for job in jobs]
        self.until(lambda: not Job.objects.active().filter(pk__in=ids).exists())
        for job in jobs:
            job.refresh_from_db()

    def until_reason(self, job: Job, reason: str) -> None:
        def holds() -> bool:
            job.refresh_from_db()
            return job.reason == reason

        self.until(holds)


@pytest.fixture
def loop(gateway: Gateway) -> Loop:
    return Loop(gateway)


@pytest.fixture
def submit(city: Tenant) -> Callable[..., Job]:
    """A queued job whose pod will do as `fate` says."""

    def _submit(tenant: Tenant = city, **fate: Any) -> Job:
        columns = {name: fate.pop(name) for name in ("cpu_request", "memory_gi", "priority") if name in fate}
        job = JobFactory(tenant=tenant, **columns)
        job.scenario_data |= {"options": fate}
        job.save()
        return job

    return _submit
