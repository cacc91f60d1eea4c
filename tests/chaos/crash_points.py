"""The life of a few jobs, with a death at the n-th step of it, for n = 1, 2, 3 … until none comes: first the
reconciler's own, then the cluster's, then PostgreSQL's."""

import time
import uuid
from collections import Counter
from itertools import chain, count, islice
from typing import Any

from clusterops.gateway import gateway_of
from clusterops.objects import manifests
from clusterops.reconciler.one_pass import reconcile_once
from simulations.models import Job
from tenants.clusters import first_cluster
from tenants.models import Tenant
from tests.chaos import actors, world
from tests.chaos.fates import fate_of
from tests.chaos.stage import Stage, until
from tests.chaos.world import Told

TENANT = "crashing"
LIMITS = {"max_cpu": 100, "max_memory_gi": 100, "max_concurrent_jobs": 100, "max_queued_jobs": 1000}
STORIES = ("succeed-0", "sumo_failed-0", "flaky-0", "forever-0")  # the last one is cancelled once it runs
LOST_STORY = "succeed-3"
VICTIMS = ("reconciler", "cluster", "postgres")
PASSES = 40
NODE_LOST_S = 3.0  # the cluster's grace and the product's own, and a little
LAST_WORDS = 4000  # bytes told of a process that ended by itself
JOB_ID = "sumok8.io/job-id"


class CrashPoints:
    """`most`: lives for each victim, not until it survives one.

    `lost_every`: in every so many lives, one more job loses its machine for good and runs again on another."""

    def __init__(self, stage: Stage, *, first: int, stride: int, lost_every: int, most: int | None = None) -> None:
        self.stage, self.lost_every = stage, lost_every
        self.first, self.stride, self.most = first, stride, most
        self.told: dict[str, Told] = {}
        self.limits = {TENANT: [(0.0, LIMITS)]}
        self.points: Counter[str] = Counter()  # steps died at
        self.lives = self.losses = 0
        self._steps = stage.folder / "steps"
        self._tenant = Tenant(tenant_id=TENANT)
        self._lost, self._lost_at = "", 0.0
        self._early: list[Told] = []  # submitted before the first life

    def run(self) -> None:
        manifests.GRACE_S = actors.GRACE_S
        self._tenant = world.make_tenant(TENANT, **LIMITS)
        self.submit_dying()
        for victim in VICTIMS:
            for at in islice(count(self.first, self.stride), self.most):
                if not self.life(at, victim):
                    break

    def submit_dying(self) -> None:
        """A submission that dies at its n-th step, for each n, and is repeated with its Idempotency-Key: one job."""
        key, died = world.issue_key(self._tenant), True
        for number, at in enumerate(chain([1], count(1))):  # the first use of a key is a step of its own
            name = f"submission-{number}"
            arguments = (key, STORIES[0], name)
            died = self.part("one_submission", at, *arguments)[1]
            if died:
                self.part("one_submission", 0, *arguments)
            told = Told(Job.objects.get(tenant=self._tenant, idempotency_key=name).job_id, fate_of(STORIES[0]))
            self._early.append(told)
            if not died:
                return

    def life(self, at: int, victim: str) -> bool:
        """Whether the victim died on the way."""
        self.lives += 1
        with_loss = bool(self.lost_every) and self.lives % self.lost_every == 0
        mine = [*self._early, *(world.submit(self._tenant, story) for story in STORIES)]
        self._early = []
        if with_loss:
            mine.append(world.submit(self._tenant, LOST_STORY))
        self.told |= {str(told.job_id): told for told in mine}
        ids = [told.job_id for told in mine]
        died = False
        for _ in range(PASSES):
            if died:
                reconcile_once(gateway_of(first_cluster()))
            else:
                at, died = self.pass_with(victim, at)
            if not Job.objects.active().filter(pk__in=ids).exists() and not world.unreleased():
                self.find_machine()
                self._lost_at = 0.0
                return died
            self.stimulate(mine, with_loss=with_loss)
            until(self.quiet, "the cluster has done its part", 30)
        raise TimeoutError(f"not settled after {PASSES} passes: {list(Job.objects.active().filter(pk__in=ids))}")

    def pass_with(self, victim: str, at: int) -> tuple[int, bool]:
        """One pass during which `victim` dies at step `at`, and is there again afterwards."""
        if victim == "reconciler":
            return self.part("one_pass", at)
        left, died = self.part("one_pass", at, victim, self.stage.pid_of(victim))
        if died:
            self.stage.await_death(victim)
            self.stage.revive(victim)
            world.forget_connections()
        return left, died

    def part(self, name: str, at: int, *arguments: object) -> tuple[int, bool]:
        """What is left of `at` afterwards, and whether the death came."""
        self._steps.write_text("")
        log = self.stage.folder / "passes.log"
        said = log.stat().st_size if log.exists() else 0
        process = actors.start(name, at, str(self._steps), *arguments, log=log)
        process.join()
        steps = self._steps.read_text().splitlines()
        if at and len(steps) >= at:
            self.points[steps[at - 1]] += 1
            return 0, True
        if process.exitcode != 0:
            last = log.read_bytes()[said:][-LAST_WORDS:].decode(errors="replace")
            raise RuntimeError(f"{name} ended with {process.exitcode} at step {len(steps)} before its {at}th:\n{last}")
        return at - len(steps), False

    def stimulate(self, mine: list[Told], *, with_loss: bool) -> None:
        """What happens between the passes: a cancel, and a machine's death."""
        for told in mine:
            if told.fate.kind == "forever" and not told.cancelled and self.stage.ledger.of(str(told.job_id)):
                told.cancelled = Job.objects.get(pk=told.job_id).request_cancel()
        if with_loss:
            if not self._lost_at:
                self.lose(mine[-1])
            elif self._lost and len(self.stage.ledger.of(str(mine[-1].job_id))) > 1:
                self.find_machine()  # only now: the next attempt did not wait for it

    def lose(self, told: Told) -> None:
        """The machine under this job's first attempt, once it runs there; it stays away until the job has ended."""
        pods = self.stage.our_pods()
        mine = [pod for pod in pods if pod["metadata"]["labels"][JOB_ID] == told.job_id.hex]
        if not mine:
            return
        victims = [pod for pod in pods if pod["spec"].get("nodeName") == mine[0]["spec"].get("nodeName")]
        # What has not begun on a dead machine waits minutes for Kubernetes to take it away: not in here.
        if all(pod["status"]["phase"] == "Running" for pod in [*mine, *victims]):
            self._lost, self._lost_at = mine[0]["spec"]["nodeName"], time.monotonic()
            self.stage.lose_node(self._lost)
            self.losses += 1
            for victim in victims:
                job_id = uuid.UUID(hex=victim["metadata"]["labels"][JOB_ID])
                self.told[str(job_id)].disrupted.add(victim["metadata"]["name"])

    def find_machine(self) -> None:
        if self._lost:
            self.stage.find_node(self._lost)
            self._lost = ""

    def quiet(self) -> bool:
        """Nothing happens in the cluster by itself any more."""
        pods: dict[str, list[dict[str, Any]]] = {}
        for pod in self.stage.our_pods():
            if pod["spec"].get("nodeName") == self._lost:
                if time.monotonic() < self._lost_at + NODE_LOST_S:
                    return False
            elif "deletionTimestamp" in pod["metadata"]:
                return False
            pods.setdefault(pod["metadata"].get("labels", {}).get("job-name", ""), []).append(pod)
        return all(self._rests(job, pods.get(job["metadata"]["name"], [])) for job in self.stage.jobs())

    def _rests(self, job: dict[str, Any], pods: list[dict[str, Any]]) -> bool:
        if any(c["type"] in ("Complete", "Failed") for c in job["status"].get("conditions", [])):
            return True
        if any(pod["spec"].get("nodeName") == self._lost for pod in pods):
            return True
        environment = job["spec"]["template"]["spec"]["containers"][0]["env"]
        stories = {"forever-0"} if self._lost_at else {"forever-0", LOST_STORY}  # those wait for a stimulus
        waits = any(v["name"] == "SCENARIO_ID" and v["value"] in stories for v in environment)
        return waits and any(self.stage.ledger.pod(pod["metadata"]["name"]) for pod in pods)
