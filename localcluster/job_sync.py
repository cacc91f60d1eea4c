"""One look at one Job: count what ended, decide whether it is over, else make the pods that are missing."""

from __future__ import annotations

import time
from typing import Any, Protocol

from localcluster import failurepolicy, lifecycle, podstatus
from localcluster.resources import JOBS, PODS
from localcluster.store import Store, Stored, seconds, timestamp
from localcluster.work_queue import Agenda

TRACKING = "batch.kubernetes.io/job-tracking"
_ORDER = (
    "conditions", "startTime", "completionTime", "active", "succeeded", "failed", "terminating",
    "uncountedTerminatedPods", "ready",
)  # fmt: skip
_BACKOFF = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")
_COMPLETE = ("CompletionsReached", "Reached expected number of succeeded pods")


class Hands(Protocol):
    """What a look needs from the controller."""

    store: Store
    agenda: Agenda

    def pods_of(self, job: Stored) -> list[Stored]: ...
    def create_pods(self, job: Stored, count: int) -> int: ...
    def hold_replacement(self, job: Stored) -> None: ...
    def event(self, job: Stored, reason: str, message: str, *, warning: bool = False) -> None: ...


def finished(status: dict[str, Any]) -> dict[str, Any] | None:
    """The condition that ended the Job, if it has ended."""
    return next((c for c in status.get("conditions", []) if c["type"] in ("Complete", "Failed")), None)


class Round:
    """A Job that has not ended, as it stands in this moment."""

    def __init__(self, controller: Hands, job: Stored) -> None:
        self.controller, self.store, self.job = controller, controller.store, job
        self.obj = job.clone()
        self.spec, self.status = self.obj["spec"], self.obj["status"]
        self.only_failed = self.spec["podReplacementPolicy"] == "Failed"
        self.pods = controller.pods_of(job)
        self.uncounted: dict[str, list[str]] = dict(self.status.get("uncountedTerminatedPods", {}))

    def run(self) -> None:
        if self.spec.get("suspend"):
            self._suspend()
            return
        if self._condition("Suspended", "True"):
            self._set("Suspended", "False", "JobResumed", "Job resumed")
            self.controller.event(self.job, "Resumed", "Job resumed")
        self.status.setdefault("startTime", timestamp())
        ended = [pod for pod in self.pods if self._ended(pod) and TRACKING in pod.meta.get("finalizers", [])]
        target = self._target(self._judge(ended))
        if target:
            self._stop_pods()
        elif not ended and not any(self.uncounted.values()):
            self._replenish()
        self._save()
        self._count(ended)
        if target and not self._living():
            self._conclude(*target)
        self._save()
        if ended and not target:
            self.controller.agenda.now(self.job.key)

    def _ended(self, pod: Stored) -> bool:
        return podstatus.is_terminal(pod.obj) or (not self.only_failed and "deletionTimestamp" in pod.meta)

    def _living(self) -> list[Stored]:
        return [pod for pod in self.controller.pods_of(self.job) if not podstatus.is_terminal(pod.obj)]

    def _judge(self, ended: list[Stored]) -> str:
        """Enters newly ended pods as uncounted; returns the message of a FailJob rule, if one matched."""
        fail_message = ""
        for pod in ended:
            verdict, message = failurepolicy.judge(self.obj, pod)
            if verdict == "Ignore":
                self.controller.hold_replacement(self.job)
                continue
            kind = "succeeded" if verdict == "Succeeded" else "failed"
            if pod.uid not in self.uncounted.get(kind, []):
                self.uncounted.setdefault(kind, []).append(pod.uid)
            if verdict == "FailJob":
                fail_message = fail_message or message
            elif verdict == "Count":
                self.controller.hold_replacement(self.job)
        return fail_message

    def _target(self, fail_message: str) -> tuple[str, str, str] | None:
        """(condition, reason, message) towards which the Job goes, once that is decided."""
        for kind, final in (("FailureTarget", "Failed"), ("SuccessCriteriaMet", "Complete")):
            if decided := self._condition(kind, "True"):
                return final, decided["reason"], decided["message"]
        failed = self.status.get("failed", 0) + len(self.uncounted.get("failed", []))
        succeeded = self.status.get("succeeded", 0) + len(self.uncounted.get("succeeded", []))
        why: tuple[str, str] | None = None
        if fail_message:
            why = "PodFailurePolicy", fail_message
        elif failed > self.spec["backoffLimit"]:
            why = _BACKOFF
        elif self._deadline_passed():
            why = _DEADLINE
        if why:
            self._set("FailureTarget", "True", *why)
            return "Failed", *why
        if self._all_succeeded(succeeded):
            self._set("SuccessCriteriaMet", "True", *_COMPLETE)
            return "Complete", *_COMPLETE
        return None

    def _all_succeeded(self, succeeded: int) -> bool:
        completions = self.spec.get("completions")
        if completions is None:  # a work queue: one success and nobody left running
            return succeeded > 0 and not self._living()
        return succeeded >= completions

    def _deadline_passed(self) -> bool:
        deadline = self.spec.get("activeDeadlineSeconds")
        if deadline is None:
            return False
        left = seconds(self.status["startTime"]) + deadline - time.time()
        if left > 0:
            self.controller.agenda.later(self.job.key, left)
        return left <= 0

    def _stop_pods(self) -> None:
        for pod in self._living():
            if "deletionTimestamp" not in pod.meta:
                lifecycle.delete_pod(self.store, pod, None)
                self.controller.event(self.job, "SuccessfulDelete", f"Deleted pod: {pod.key[1]}")

    def _replenish(self) -> None:
        living = self._living()
        active = [pod for pod in living if "deletionTimestamp" not in pod.meta]
        taken = len(living) if self.only_failed else len(active)
        completions = self.spec.get("completions")
        left = self.spec["parallelism"] if completions is None else completions - self.status.get("succeeded", 0)
        missing = min(self.spec["parallelism"], left) - taken
        if missing > 0:
            self.controller.create_pods(self.job, missing)

    def _count(self, ended: list[Stored]) -> None:
        """Lets go of the counted pods, then enters them in the totals: in this order, so that none is counted twice."""
        for pod in ended:
            obj = pod.clone()
            obj["metadata"]["finalizers"] = [f for f in obj["metadata"]["finalizers"] if f != TRACKING]
            lifecycle.update_or_finish(self.store, PODS, obj)
        for kind, uids in self.uncounted.items():
            if uids:
                self.status[kind] = self.status.get(kind, 0) + len(uids)
        self.uncounted = {}

    def _conclude(self, final: str, reason: str, message: str) -> None:
        self._set(final, "True", reason, message)
        if final == "Complete":
            self.status["completionTime"] = timestamp()
            self.controller.event(self.job, "Completed", "Job completed")
        else:
            self.controller.event(self.job, reason, message, warning=True)

    def _suspend(self) -> None:
        self._stop_pods()
        ended = [
            pod for pod in self.pods if podstatus.is_terminal(pod.obj) and TRACKING in pod.meta.get("finalizers", [])
        ]
        self._count(ended)
        if not self._condition("Suspended", "True"):
            self._set("Suspended", "True", "JobSuspended", "Job suspended")
            self.controller.event(self.job, "Suspended", "Job suspended")
        self.status.pop("startTime", None)
        self._save()

    def _condition(self, kind: str, status: str) -> dict[str, Any] | None:
        conditions = self.status.get("conditions", [])
        return next((c for c in conditions if c["type"] == kind and c["status"] == status), None)

    def _set(self, kind: str, status: str, reason: str, message: str) -> None:
        now = timestamp()
        entry = {"type": kind, "status": status, "lastProbeTime": now, "lastTransitionTime": now}
        others = [c for c in self.status.get("conditions", []) if c["type"] != kind]
        self.status["conditions"] = [*others, entry | {"reason": reason, "message": message}]

    def _save(self) -> None:
        living = self._living()
        active = [pod for pod in living if "deletionTimestamp" not in pod.meta]
        ready = [pod for pod in active if (podstatus.condition(pod.obj, "Ready") or {}).get("status") == "True"]
        self.status |= {
            "terminating": len(living) - len(active),
            "uncountedTerminatedPods": {kind: uids for kind, uids in self.uncounted.items() if uids},
            "ready": len(ready),
        }
        self.status.pop("active", None)
        if active:
            self.status["active"] = len(active)
        self.obj["status"] = {name: self.status[name] for name in _ORDER if name in self.status}
        if self.store.find(JOBS, self.job.key):
            self.store.update(JOBS, self.obj)
