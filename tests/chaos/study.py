"""A study of two hundred runs, of which one in twenty loses its process, while a machine and the reconciler die.

Every run ends once, what failed is left out from both sides of its pair and told, and a retry completes the study. Run
as `python -m tests.chaos study --seed S`.
"""

import json
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from multiprocessing.context import ForkServerProcess
from typing import Any

from localcluster.nodes import LOCAL_NODE
from simulations.models import Job
from simulations.studies.models import Study, StudyRun
from tests.chaos import actors, world
from tests.chaos.fates import FATES
from tests.chaos.stage import NODES, Stage, until
from tests.chaos.world import Told
from tests.localcluster.kube import MERGE

TENANT = "studious"
LIMITS = {"max_cpu": 60, "max_memory_gi": 60, "max_concurrent_jobs": 24, "max_queued_jobs": 100}
SEEDS = 100  # times two cells
KILLED_SHARE = 0.05
ENDED = StudyRun.ENDED


class StudyPlay:
    def __init__(self, stage: Stage, *, seed: int, faults: float) -> None:
        self.stage, self.rng, self.faults = stage, random.Random(seed), faults
        self.told: dict[str, Told] = {}
        self.limits = {TENANT: [(time.time(), LIMITS)]}
        self.acts: Counter[str] = Counter()
        self.killed: set[str] = set()  # jobs whose process was killed
        self.disrupted: dict[str, set[str]] = {}  # by job, in hex: pods on the machine that died
        self._reconciler: ForkServerProcess | None = None

    def run(self) -> None:
        from django.test import Client

        key = world.issue_key(world.make_tenant(TENANT, **LIMITS))
        client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}"})
        self.start_reconciler()
        try:
            study = self.create(client)
            self.stage.proxy.rate = self.faults
            self.disturb(study)
            self.stage.proxy.rate = 0.0
            self.wait_for(study)
            self.check_failures(client, study)
            _sent(client, f"/studies/{study.pk}/retry", 200)
            self.wait_for(study)
            failed = StudyRun.objects.filter(study=study).exclude(status="SUCCEEDED").count()
            if failed:
                raise RuntimeError(f"{failed} runs did not succeed after the retry")
            until(lambda: not world.unreleased(), "every finished job is released", 30)
            until(lambda: not self.stage.our_pods() and not self.stage.jobs(), "nothing is left in the cluster", 30)
        finally:
            self.stage.proxy.rate = 0.0
            self.note_jobs()
            self.kill_reconciler()

    def create(self, client: Any) -> Study:
        request = {
            "base": {"scenario_id": "succeed-1"},
            "variants": [{"name": "base"}, {"name": "other", "options": {"time-to-teleport": 120}}],
            "seeds": {"first": 1, "count": SEEDS},
            "primary_kpis": ["teleports"],
        }
        told = _sent(client, "/studies", 201, request)
        return Study.objects.get(pk=told["study_id"])

    def disturb(self, study: Study) -> None:
        total = 2 * SEEDS
        while (ended := StudyRun.objects.filter(study=study, status__in=ENDED).count()) < total:
            if len(self.killed) < KILLED_SHARE * total * max(ended / total, 0.1):
                self.kill_pod()
            if ended > total / 4 and not self.acts["lose machine"]:
                self.lose_machine()
            if ended > total / 2 and not self.acts["kill reconciler"]:
                self.acts["kill reconciler"] += 1
                self.kill_reconciler()
                self.start_reconciler()
            if not Study.objects.active().filter(pk=study.pk).exists():
                return
            time.sleep(0.1)

    def kill_pod(self) -> None:
        running = [entry for entry in self.stage.ledger.living() if entry.code is None]
        if not running:
            return
        entry = self.rng.choice(running)
        with suppress(ProcessLookupError):
            os.kill(entry.pid, signal.SIGKILL)
            self.killed.add(entry.job_id)
            self.acts["kill pod"] += 1

    def lose_machine(self) -> None:
        """One that has pods; and find it again when they have been given up."""
        self._cordon(True)  # the scheduler fills this one first
        name = until(lambda: next(filter(self._pods_on, NODES), None), "a machine has pods", 30)
        self._cordon(False)
        self.acts["lose machine"] += 1
        self._note_pods(name)
        self.stage.lose_node(name)
        for _ in range(10):
            self._note_pods(name)
            time.sleep(0.3)
        self.stage.find_node(name)
        self.acts["pods on it"] = sum(map(len, self.disrupted.values()))

    def _cordon(self, closed: bool) -> None:
        body = {"spec": {"unschedulable": closed}}
        self.stage.kube.ok("PATCH", f"/api/v1/nodes/{LOCAL_NODE}", body, content_type=MERGE)

    def _pods_on(self, machine: str) -> list[dict[str, Any]]:
        return [pod for pod in self.stage.our_pods() if pod["spec"].get("nodeName") == machine]

    def _note_pods(self, machine: str) -> None:
        for pod in self._pods_on(machine):
            meta = pod["metadata"]
            self.disrupted.setdefault(meta["labels"]["sumok8.io/job-id"], set()).add(meta["name"])

    def wait_for(self, study: Study) -> None:
        until(lambda: not Study.objects.active().filter(pk=study.pk).exists(), "the study ends", 120)

    def check_failures(self, client: Any, study: Study) -> None:
        """What failed is told with its reason, and its seed is in no pair."""
        failed = set(StudyRun.objects.filter(study=study, status="FAILED").values_list("cell__name", "seed"))
        told = client.get(f"/studies/{study.pk}/summary").json()["seeds"]
        if failed != {(each["cell"], each["seed"]) for each in told["excluded"]}:
            raise RuntimeError(f"failed are {sorted(failed)}, told are {told['excluded']}")
        if set(told["paired"]) != set(range(1, SEEDS + 1)) - {seed for _, seed in failed}:
            raise RuntimeError(f"failed are {sorted(failed)}, paired are {told['paired']}")
        if not failed:
            raise RuntimeError("no run failed: nothing was proved")
        self.acts["runs failed"] = len(failed)

    def note_jobs(self) -> None:
        for job_id in Job.objects.filter(tenant=TENANT).values_list("pk", flat=True):
            fate = FATES["killed" if str(job_id) in self.killed else "succeed"]
            self.told[str(job_id)] = Told(job_id, fate, disrupted=self.disrupted.get(job_id.hex, set()))

    def start_reconciler(self) -> None:
        self._reconciler = actors.start("reconciler", 2.0, log=self.stage.folder / "reconciler.log")

    def kill_reconciler(self) -> None:
        if self._reconciler:
            self._reconciler.kill()
            self._reconciler.join()


def _sent(client: Any, path: str, expected: int, body: Any = None) -> Any:
    answer = client.post(path, json.dumps(body or {}), content_type="application/json")
    if answer.status_code != expected:
        raise RuntimeError(f"{path} was answered {answer.status_code} {answer.content[:500]!r}")
    return answer.json()
