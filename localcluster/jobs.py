"""The Job controller: makes pods, counts how they ended, concludes, and cleans up after the TTL.

Level-triggered: each look at a Job starts from what is stored, so a restart loses nothing.
https://kubernetes.io/docs/concepts/workloads/controllers/job/
"""

from __future__ import annotations

import time
from collections import defaultdict
from typing import Any

from localcluster import defaults, lifecycle
from localcluster.admission import Quotas, admit_pod, check_namespace
from localcluster.config import Timing
from localcluster.errors import StatusError
from localcluster.events import Recorder
from localcluster.job_sync import TRACKING, Round, finished
from localcluster.resources import JOBS, PODS
from localcluster.store import Change, Key, Store, Stored, seconds
from localcluster.work_queue import Agenda


class JobController:
    def __init__(self, store: Store, quotas: Quotas, recorder: Recorder, timing: Timing) -> None:
        self.store, self.quotas, self.recorder, self.timing = store, quotas, recorder, timing
        self.agenda = Agenda()
        self._pods: dict[str, set[Key]] = defaultdict(set)
        self._retries: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        for job in store.objects(JOBS):
            self.agenda.now(job.key)
        for pod in store.objects(PODS):
            self._index(pod, gone=False)

    def notice(self, change: Change) -> None:
        if change.resource is JOBS:
            self.agenda.now(change.new.key)
        elif change.resource is PODS:
            if change.old and change.old.meta.get("ownerReferences") != change.new.meta.get("ownerReferences"):
                self._index(change.old, gone=True)
            self._index(change.new, gone=change.type == "DELETED")

    def _index(self, pod: Stored, *, gone: bool) -> None:
        for owner in pod.meta.get("ownerReferences", []):
            (self._pods[owner["uid"]].discard if gone else self._pods[owner["uid"]].add)(pod.key)
            self.agenda.now((pod.key[0], owner["name"]))

    def step(self) -> None:
        self.agenda.each(self._look)

    def _look(self, key: Key) -> None:
        job = self.store.find(JOBS, key)
        if job is None:
            return
        if "deletionTimestamp" in job.meta:
            lifecycle.finish_foreground(self.store, job)
        elif end := finished(job.obj["status"]):
            self._expire(job, end)
        else:
            Round(self, job).run()

    def _expire(self, job: Stored, end: dict[str, Any]) -> None:
        ttl = job.obj["spec"].get("ttlSecondsAfterFinished")
        if ttl is None:
            return
        left = seconds(end["lastTransitionTime"]) + ttl - time.time()
        if left > 0:
            self.agenda.later(job.key, left)
        else:
            lifecycle.delete(self.store, job, {"propagationPolicy": "Foreground"})

    def pods_of(self, job: Stored) -> list[Stored]:
        found = (self.store.find(PODS, key) for key in sorted(self._pods[job.uid]))
        return [pod for pod in found if pod]

    def hold_replacement(self, job: Stored) -> None:
        self._not_before[job.uid] = time.monotonic() + self.timing.replacement

    def create_pods(self, job: Stored, count: int) -> int:
        """How many came to be; a refused one is tried again, each time later."""
        wait = self._not_before.get(job.uid, 0.0) - time.monotonic()
        if wait > 0:
            self.agenda.later(job.key, wait)
            return 0
        for made in range(count):
            try:
                pod = self._create_pod(job)
            except StatusError as error:
                self._refused(job, error)
                return made
            self._retries.pop(job.uid, None)
            self.event(job, "SuccessfulCreate", f"Created pod: {pod.key[1]}")
        return count

    def _refused(self, job: Stored, error: StatusError) -> None:
        self.event(job, "FailedCreate", f"Error creating: {error.message}", warning=True)
        retries = self._retries[job.uid] = self._retries.get(job.uid, 0) + 1
        delay = min(self.timing.create_retry * 2 ** (retries - 1), self.timing.create_retry_max)
        self._not_before[job.uid] = time.monotonic() + delay
        self.agenda.later(job.key, delay)

    def _create_pod(self, job: Stored) -> Stored:
        template = job.clone()["spec"]["template"]
        meta = template.get("metadata", {})
        owner = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": job.key[1],
            "uid": job.uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
        pod: dict[str, Any] = {
            "metadata": {
                "generateName": f"{job.key[1]}-",
                "namespace": job.key[0],
                "labels": meta.get("labels", {}),
                "annotations": meta.get("annotations", {}),
                "ownerReferences": [owner],
                "finalizers": [*meta.get("finalizers", []), TRACKING],
            },
            "spec": template["spec"],
        }
        defaults.apply(PODS, pod)
        check_namespace(self.store, PODS, job.key[0], pod["metadata"]["name"])
        admit_pod(self.store, self.quotas, pod)
        return self.store.create(PODS, pod)

    def event(self, job: Stored, reason: str, message: str, *, warning: bool = False) -> None:
        self.recorder.record(job, reason, message, by="job-controller", warning=warning)
