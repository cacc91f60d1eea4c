"""A full cluster of fixed size and tenants whose names begin the alphabet and end it: who comes first, and does any pod
wait in the cluster rather than its job in the queue? Meanwhile another hand deletes pods and Jobs."""

import random
import time
import uuid
from collections import Counter
from multiprocessing.context import ForkServerProcess

from clusterops.objects import manifests
from simulations.models import Job, JobEvent
from tests.chaos import actors, world
from tests.chaos.stage import Stage, until
from tests.chaos.world import Told

TENANTS = ("aachen", "basel", "cork", "delft", "york", "zagreb")
LIMITS = {"max_cpu": 100, "max_memory_gi": 100, "max_concurrent_jobs": 100, "max_queued_jobs": 100_000}
STORY = "succeed-0.3"
DELETED_SHARE = 0.05  # of the looks at the cluster
FAIR = 0.5  # of an equal part of the first half's starts
IN_THE_CLUSTER = {"WAITING_FOR_NODE", "START_TIMEOUT", "WAITING_QUOTA"}  # what a job would wait for if it was not kept


class Crowded:
    def __init__(self, stage: Stage, *, seed: int, jobs: int) -> None:
        self.stage, self.rng, self.each = stage, random.Random(seed), max(2, jobs // len(TENANTS))
        self.told: dict[str, Told] = {}
        self.limits = {name: [(0.0, LIMITS)] for name in TENANTS}
        self.deleted: Counter[str] = Counter()
        self._reconciler: ForkServerProcess | None = None

    def run(self) -> None:
        manifests.GRACE_S = actors.GRACE_S
        tenants = [world.make_tenant(name, **LIMITS) for name in TENANTS]
        for tenant in tenants:  # the first one's whole queue is there before the last one's first job
            for _ in range(self.each):
                told = world.submit(tenant, STORY)
                self.told[str(told.job_id)] = told
        self._reconciler = actors.start("reconciler", 2.0, log=self.stage.folder / "reconciler.log")
        deadline = time.monotonic() + 60 + len(self.told)
        while world.active():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{world.active()} jobs have not ended")
            if self.rng.random() < DELETED_SHARE:
                self.delete_something()
            time.sleep(0.1)
        until(lambda: not world.unreleased(), "every finished job is released", 30)

    def delete_something(self) -> None:
        """A pod, now and then with --force, or a Job."""
        pods = [pod for pod in self.stage.our_pods() if pod["status"]["phase"] in ("Pending", "Running")]
        if not pods:
            return
        meta = self.rng.choice(pods)["metadata"]
        job = Job.objects.get(pk=uuid.UUID(hex=meta["labels"]["sumok8.io/job-id"]))
        told = self.told[str(job.pk)]
        told.deleted = True
        kind = self.rng.choice(("pod", "pod --force", "Job"))
        if kind == "Job":
            path = f"/apis/batch/v1/namespaces/{job.k8s_namespace}/jobs/{job.k8s_job_name}"
            self.stage.kube.send("DELETE", path, {"propagationPolicy": "Background"})
        else:
            told.disrupted.add(meta["name"])  # one that had not begun may be replaced
            path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
            self.stage.kube.send("DELETE", path, {"gracePeriodSeconds": 0} if kind == "pod --force" else {})
        self.deleted[kind] += 1

    def unfair(self) -> list[str]:
        """Whoever got too few of the first half's starts, and whatever waited in the cluster."""
        tenants = dict(Job.objects.values_list("pk", "tenant_id"))
        entries = sorted(self.stage.ledger.entries, key=lambda entry: entry.started)
        half = entries[: len(entries) // 2]
        starts = Counter(tenants[uuid.UUID(entry.job_id)] for entry in half)
        least = FAIR * len(half) / len(TENANTS)
        found = [
            f"{name} had {starts[name]} of the first {len(half)} starts" for name in TENANTS if starts[name] < least
        ]
        for job_id, reason in JobEvent.objects.filter(reason__in=IN_THE_CLUSTER).values_list("job_id", "reason"):
            found.append(f"job {job_id} was given to a full cluster: {reason}")
        return found

    def close(self) -> None:
        if self._reconciler:
            self._reconciler.kill()
            self._reconciler.join()
