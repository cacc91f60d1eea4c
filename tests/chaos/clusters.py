"""Two clusters, a reconciler for each. One tenant moves while most of its jobs are still to come; then its new home is
dead for a while. Does any job run twice, in both, or get lost; do limits hold over both; does the other notice?"""

import time
from collections import Counter
from multiprocessing.context import ForkServerProcess
from subprocess import Popen

from clusterops.models import ReconcilerState
from clusterops.objects import manifests
from localcluster.cluster import start_process
from localcluster.config import LocalClusterConfig
from simulations.models import Job
from simulations.services.moving import move_tenant
from tenants.clusters import FIRST, Cluster
from tests.chaos import actors, world
from tests.chaos.stage import Stage, kill, until
from tests.chaos.world import Told

LIMITS = {"max_cpu": 8, "max_memory_gi": 100, "max_concurrent_jobs": 8, "max_queued_jobs": 100_000}
STAYS, MOVES = "stays", "wanders"
STORY = "succeed-0.3"
INTERVAL_S = 2.0


class Clusters:
    def __init__(self, stage: Stage, *, jobs: int, away_s: float) -> None:
        self.stage, self.each, self.away_s = stage, max(8, jobs // 2), away_s
        self.told: dict[str, Told] = {}
        self.limits = {name: [(0.0, LIMITS)] for name in (STAYS, MOVES)}
        self.moved: Counter[str] = Counter()
        self.noticed: list[str] = []
        self._config = LocalClusterConfig(
            data=stage.folder / "far",
            kubeconfig=stage.folder / "kubeconfig-far",
            cpu="10000",
            memory="10000Gi",
            default_image=stage.config.default_image,
            timing=stage.config.timing,
        )
        self._far: Popen[bytes] | None = None
        self._reconcilers: list[ForkServerProcess] = []

    def run(self) -> None:
        manifests.GRACE_S = actors.GRACE_S
        self._far = start_process(self._config)
        far = Cluster.objects.create(name="far", kubeconfig=str(self._config.kubeconfig))
        tenants = {name: world.make_tenant(name, **LIMITS) for name in (STAYS, MOVES)}
        for _ in range(self.each):
            for tenant in tenants.values():
                told = world.submit(tenant, STORY)
                self.told[str(told.job_id)] = told
        for name in ("default", "far"):
            log = self.stage.folder / f"reconciler-{name}.log"
            self._reconcilers.append(actors.start("reconciler", INTERVAL_S, name, log=log))
        until(lambda: self._ended(MOVES) >= self.each // 4, "a quarter has ended", 120 + self.each)
        until(lambda: Job.objects.in_hand().filter(tenant=MOVES).count() > 2, "some have begun", 60)
        moved = move_tenant(tenant_id=MOVES, to=far)
        self.moved.update(came=moved.came, stay=moved.stay)
        until(lambda: Job.objects.filter(cluster=far, started_at__isnull=False).exists(), "one runs there", 60)
        kill(self._far.pid, "cluster")
        self._far.wait()
        self._look_while_it_is_away()
        self._far = start_process(self._config)
        deadline = time.monotonic() + 120 + len(self.told)
        while world.active():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{world.active()} jobs have not ended")
            time.sleep(0.1)
        until(lambda: not world.unreleased(), "every finished job is released", 30)
        self.moved["ran there"] = Job.objects.filter(cluster=far).count()

    def _ended(self, tenant: str) -> int:
        return Job.objects.filter(tenant=tenant, finished_at__isnull=False).count()

    def _look_while_it_is_away(self) -> None:
        """The other's passes go on, see their cluster and end jobs."""
        before, passes, until_s = self._ended(STAYS), ReconcilerState.get(FIRST).passes, time.monotonic() + self.away_s
        while time.monotonic() < until_s:
            state = ReconcilerState.get(FIRST)
            if not state.cluster_reachable or state.error:
                self.noticed.append(f"the reconciler of the other cluster noticed: {state.error}")
            time.sleep(0.5)
        if ReconcilerState.get(FIRST).passes <= passes:
            self.noticed.append("no pass of the other cluster while one was away")
        self.moved["seconds away"] = round(self.away_s)
        if self._ended(STAYS) <= before < self.each:
            self.noticed.append("no job of the other cluster ended while one was away")

    def close(self) -> None:
        for process in self._reconcilers:
            process.kill()
            process.join()
        if self._far and self._far.poll() is None:
            self._far.terminate()
            self._far.wait()
