"""Hundreds of jobs of mixed fates under every fault at once. Run as `python -m tests.chaos scenario --seed S --jobs N`.

The seed decides what is submitted, what is broken and when in the order of things; how the processes interleave is the
machine's. Every act is printed to `acts.jsonl` in the folder, every fault of the proxy to `faults.jsonl`.
"""

import contextlib
import json
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Any

from django.utils import timezone

from simulations.models import Job
from tenants.models import Tenant
from tests.chaos import actors, world
from tests.chaos.fates import FATES, SECONDS, fate_of
from tests.chaos.stage import DATABASE_TIMEOUT_S, NODES, Stage, until
from tests.chaos.web import Answer, Web
from tests.chaos.world import Told
from tests.simulations.scenarios import archive
from tests.sumok8 import stalled

LIMITS = {
    "wide": {"max_cpu": 60, "max_memory_gi": 60, "max_concurrent_jobs": 20, "max_queued_jobs": 100_000},
    "narrow": {"max_cpu": 4, "max_memory_gi": 40, "max_concurrent_jobs": 6, "max_queued_jobs": 100_000},
    "scarce": {"max_cpu": 40, "max_memory_gi": 8, "max_concurrent_jobs": 12, "max_queued_jobs": 100_000},
    "single": {"max_cpu": 2, "max_memory_gi": 4, "max_concurrent_jobs": 1, "max_queued_jobs": 100_000},
}
SHARES = (50, 20, 25, 5)  # of the jobs
MOST_ACTIVE = 80  # at once, so that the faults meet jobs in every state
CALM_BELOW = 0.2  # the share of jobs that are left to end without faults
STALLED = 60  # clients, more than the web has threads
MEMORY_JOBS = 2  # each really fills more than a gibibyte


class Scenario:
    def __init__(self, stage: Stage, *, seed: int, jobs: int, faults: float) -> None:
        self.stage, self.rng, self.jobs, self.faults = stage, random.Random(seed), jobs, faults
        self.told: dict[str, Told] = {}
        self.asked = 0  # submissions begun
        self.web = Web(stage.folder)
        self.keys: dict[str, str] = {}  # tenant → API key
        self.disrupted_pods: defaultdict[str, set[str]] = defaultdict(set)  # by job, in hex
        self.limits: dict[str, list[tuple[float, dict[str, int]]]] = {}  # in force from then on
        self.acts: Counter[str] = Counter()
        self.reconcilers: list[ForkServerProcess] = []
        self.lost: dict[str, float] = {}  # machine → when it comes back
        self._acts_log = (stage.folder / "acts.jsonl").open("a", buffering=1)
        self._memory_jobs = 0
        self.stalled = contextlib.ExitStack()

    # the play

    def run(self) -> None:
        self.prepare()
        self.stage.proxy.rate = self.faults
        while (active := world.active()) > self.jobs * CALM_BELOW or len(self.told) < self.jobs:
            if active + self.asked - len(self.told) < MOST_ACTIVE:
                self.submit_some()
            self.disturb()
            self.look_after_machines()
            time.sleep(self.rng.uniform(0.0, 0.25))
        self.settle()

    def prepare(self) -> None:
        for name, limits in LIMITS.items():
            self.keys[name] = world.issue_key(world.make_tenant(name, **limits))
            self.limits[name] = [(time.time(), limits)]
        self.start_reconciler()

    def submit_some(self) -> None:
        for _ in range(min(self.rng.randint(1, 8), self.jobs - self.asked)):
            kind = self.rng.choices(list(FATES), [fate.weight for fate in FATES.values()])[0]
            if kind == "memory":
                self._memory_jobs += 1
                kind = kind if self._memory_jobs <= MEMORY_JOBS else "succeed"
            tenant = self.rng.choices(list(LIMITS), SHARES)[0]
            size = {"cpu_request": self.rng.randint(1, 2), "memory_gi": self.rng.choice((1, 1, 2, 4))}
            if kind == "memory":
                size["memory_gi"] = 1
            seconds = self.rng.choices(list(SECONDS.values()), (3, 4, 2, 1))[0]
            priority = self.rng.choice((-1, 0, 0, 0, 1))
            self.asked += 1
            self.web.soon(self.submit, tenant, {"scenario_id": f"{kind}-{seconds}", "priority": priority, **size})

    def submit(self, tenant: str, wanted: dict[str, Any]) -> None:
        """In a client's thread."""
        answer = self.web.post("/jobs", self.keys[tenant], wanted)
        if answer.status not in (200, 201):
            raise RuntimeError(f"{wanted} was answered {answer.status} {answer.json}")
        told = Told(uuid.UUID(answer.json["job_id"]), fate_of(wanted["scenario_id"]))
        self.told[str(told.job_id)] = told

    def disturb(self) -> None:
        acts: list[tuple[Callable[[], Any], int]] = [
            (self.cancel_some, 10),
            (self.kill_reconciler, 8),
            (self.kill_web, 3),
            (self.kill_web_worker, 3),
            (self.second_reconciler, 4),
            (self.outage, 3),
            (self.change_limits, 6),
            (self.change_quota, 4),
            (self.delete_job, 8),
            (self.delete_pod, 5),
            (self.evict_pod, 8),
            (self.lose_machine, 2),
            (self.kill_cluster, 1),
            (self.kill_postgres, 1),
            (self.freeze_postgres, 1),
            (self.kubelets_die, 3),
            (self.clients_stall, 2),
            (self.fill_disk, 2),
            (lambda: None, 60),
        ]
        act = self.rng.choices([act for act, _ in acts], [weight for _, weight in acts])[0]
        act()

    def note(self, act: str, **what: Any) -> None:
        self.acts[act] += 1
        self._acts_log.write(json.dumps({"t": round(time.time(), 3), "act": act, **what}) + "\n")

    # what tenants and operators do

    def cancel_some(self) -> None:
        for _ in range(self.rng.randint(1, 3)):
            queued = self.rng.random() < 0.3  # the states pass quickly, the queue is long
            for job in self.some_active(1, dispatched_at__isnull=queued):
                self.cancel(job)

    def cancel(self, job: Job) -> None:
        told = self.told.get(str(job.pk))
        if told is None:  # its submission has not been answered yet
            return
        self.note(f"cancel {job.reason}", job=str(job.pk))
        self.web.soon(self.ask_to_cancel, told, self.keys[job.tenant_id])

    def ask_to_cancel(self, told: Told, key: str) -> None:
        """In a client's thread."""
        answer = self.web.post(f"/jobs/{told.job_id}/cancel", key)
        if answer.status == 202 or answer.tries > 1:
            told.cancelled = True
        elif answer.json["error"]["code"] != "job.finished":
            raise RuntimeError(f"cancelling {told.job_id} was answered {answer.status} {answer.json}")

    def some_active(self, count: int, **where: Any) -> list[Job]:
        found = list(Job.objects.active().filter(**where).order_by("submitted_at", "job_id"))
        return self.rng.sample(found, min(count, len(found)))

    def change_limits(self) -> None:
        name = self.rng.choice(list(LIMITS))
        usual = LIMITS[name]
        factor = self.rng.choice((0.5, 1, 2))
        limits = {
            "max_cpu": max(2, int(usual["max_cpu"] * factor)),
            "max_memory_gi": max(4, int(usual["max_memory_gi"] * factor)),
            "max_concurrent_jobs": max(1, int(usual["max_concurrent_jobs"] * factor)),
        }
        self.limits[name].append((time.time(), usual | limits))
        Tenant.objects.filter(pk=name).update(**limits)
        self.limits[name].append((time.time(), usual | limits))
        self.note("change limits", tenant=name, **limits)

    # what others do in the cluster

    def change_quota(self) -> None:
        name = self.rng.choice(list(LIMITS))
        path = f"/api/v1/namespaces/{name}/resourcequotas/{name}-quota"
        how = self.rng.choice(("delete", "shrink"))
        if how == "delete":
            status, _ = self.stage.kube.send("DELETE", path)
        else:
            body = {"spec": {"hard": {"pods": "1"}}}
            status, _ = self.stage.kube.send("PATCH", path, body, content_type="application/merge-patch+json")
        if status < 300:
            self.note(f"{how} quota", tenant=name)

    def delete_job(self) -> None:
        for job in self.some_active(1, dispatched_at__isnull=False):
            if str(job.pk) not in self.told:  # its submission has not been answered yet
                continue
            policy = self.rng.choice(("Background", "Foreground"))
            self.told[str(job.pk)].deleted = True
            path = f"/apis/batch/v1/namespaces/{job.k8s_namespace}/jobs/{job.k8s_job_name}"
            self.stage.kube.send("DELETE", path, {"propagationPolicy": policy})
            self.note("delete Job", job=str(job.pk), policy=policy)

    def delete_pod(self) -> None:
        """As `kubectl delete pod` does it, now and then with --force."""
        meta = self.some_pod()
        if meta is None or (told := self.told.get(str(uuid.UUID(hex=meta["labels"]["sumok8.io/job-id"])))) is None:
            return
        told.deleted = True
        self.disrupted(meta)  # one that had not begun may be replaced
        force = self.rng.random() < 0.5
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
        self.stage.kube.send("DELETE", path, {"gracePeriodSeconds": 0} if force else {})
        self.note("delete pod", pod=meta["name"], force=force)

    def some_pod(self) -> dict[str, Any] | None:
        """The metadata of one that has not ended."""
        pods = [pod for pod in self.stage.our_pods() if pod["status"]["phase"] in ("Pending", "Running")]
        return dict(self.rng.choice(pods)["metadata"]) if pods else None

    def evict_pod(self) -> None:
        meta = self.some_pod()
        if meta is None:
            return
        self.disrupted(meta)
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/eviction"
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": meta["name"]}}
        status, _ = self.stage.kube.send("POST", path, body)
        self.note("evict pod", pod=meta["name"], answer=status)

    def disrupted(self, meta: dict[str, Any]) -> None:
        self.disrupted_pods[meta["labels"]["sumok8.io/job-id"]].add(meta["name"])

    # what breaks

    def lose_machine(self) -> None:
        if self.lost:
            return
        name = self.rng.choice(NODES)
        self.note("lose machine", machine=name)
        self.lost[name] = float("inf")
        self.look_after_machines()  # before, too: on a busy machine what was there is gone before the next look
        self.stage.lose_node(name)
        self.lost[name] = time.monotonic() + self.rng.uniform(0.3, 6.0)
        self.look_after_machines()

    def look_after_machines(self) -> None:
        for name, back_at in list(self.lost.items()):
            for pod in self.stage.our_pods():
                if pod["spec"].get("nodeName") == name:
                    self.disrupted(pod["metadata"])
            if time.monotonic() > back_at:
                del self.lost[name]
                self.stage.find_node(name)
                self.note("machine is back", machine=name)

    def start_reconciler(self) -> None:
        self.reconcilers.append(actors.start("reconciler", 2.0, log=self.stage.folder / "reconciler.log"))

    def kill_reconciler(self) -> None:
        for process in self.reconcilers:
            process.kill()
            process.join()
        self.note("kill reconciler", count=len(self.reconcilers))
        self.reconcilers.clear()
        self.start_reconciler()

    def kill_web(self) -> None:
        self.note("kill web")
        self.web.kill()
        self.web.start()

    def kill_web_worker(self) -> None:
        self.note("kill web worker")
        self.web.kill_worker(self.rng)

    def second_reconciler(self) -> None:
        if len(self.reconcilers) < 3:
            self.note("another reconciler")
            self.start_reconciler()

    def outage(self) -> None:
        self.note("outage")
        self.stage.proxy.outage = True
        self.cancel_some()
        time.sleep(self.rng.uniform(0.2, 1.5))
        self.stage.proxy.outage = False

    def kill_cluster(self) -> None:
        self.note("kill cluster")
        self.stage.kill("cluster")
        time.sleep(self.rng.uniform(0.0, 0.5))
        self.stage.revive("cluster")

    def kill_postgres(self) -> None:
        self.note("kill PostgreSQL")
        self.stage.kill("postgres")
        time.sleep(self.rng.uniform(0.0, 0.5))
        self.stage.revive("postgres")
        world.forget_connections()

    def freeze_postgres(self) -> None:
        """Longer than anybody waits for it."""
        self.note("freeze PostgreSQL")
        with self.stage.frozen():
            time.sleep(DATABASE_TIMEOUT_S * self.rng.uniform(0.5, 1.5))

    def kubelets_die(self) -> None:
        """Whoever reads a log is answered 500, and then, at the next throw of this, no more."""
        self.stage.proxy.dead_kubelets = not self.stage.proxy.dead_kubelets
        self.note("kubelets die" if self.stage.proxy.dead_kubelets else "kubelets live")

    def clients_stall(self) -> None:
        """Of one kind, until the next throw of this."""
        self.stalled.close()
        kind, request = self.rng.choice(list(stalled.kinds(self.keys["wide"], "/jobs").items()))
        self.note(f"clients stall: {kind}")
        self.stalled.enter_context(stalled.clients(f"http://127.0.0.1:{self.web.port}", request, STALLED))

    def fill_disk(self) -> None:
        if self.stage.disk is None:
            return
        ballast = self.stage.disk / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(64 * 1024))
        answer = self.upload()
        ballast.unlink()
        self.note("fill the disk", answer=answer.status)
        if 0 < answer.status < 500:
            raise RuntimeError(f"an upload to a full disk was answered {answer.status} {answer.json}")

    def upload(self) -> Answer:
        content = archive(note=str(self.rng.random()), extra={"noise.bin": self.rng.randbytes(256 * 1024)})
        return self.web.upload(self.keys["wide"], "uploaded", content)

    # the end

    def settle(self, seconds: float = 60.0) -> None:
        """Faults off, the fates without an end cancelled, one reconciler alive: everything must come to rest."""
        self.stage.proxy.rate, self.stage.proxy.outage, self.stage.proxy.dead_kubelets = 0.0, False, False
        self.stalled.close()
        for name in list(self.lost):
            self.lost[name] = 0.0
        self.look_after_machines()
        if not any(process.is_alive() for process in self.reconcilers):
            self.start_reconciler()
        for told in list(self.told.values()):
            if told.fate.status == "CANCELLED":
                self.cancel(Job.objects.get(pk=told.job_id))
        for call in self.web.calls:
            call.result()
        answer = self.upload()
        if answer.status != 201:
            raise RuntimeError(f"an upload to a disk with room was answered {answer.status} {answer.json}")
        for told in self.told.values():
            told.disrupted = self.disrupted_pods[told.job_id.hex]
        seconds += self.jobs / 5
        until(lambda: not world.active(), "every job has ended", seconds)
        until(lambda: not world.unreleased(), "every finished job is released", 30)
        until(lambda: not self.stage.our_pods() and not self.stage.jobs(), "nothing is left in the cluster", 30)
        until(lambda: not self.stage.ledger.living(), "no process is left", 10)
        self.note("settled", at=str(timezone.now()))

    def close(self) -> None:
        self.stalled.close()
        self.web.close()
        for process in self.reconcilers:
            process.kill()
            process.join()
        self._acts_log.close()
