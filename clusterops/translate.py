"""The API server's Jobs, pods and events → `Run`s. Pure; tested on recordings of a real cluster."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from clusterops.contract import Phase, Run
from clusterops.manifests import ATTEMPT, JOB_ID, TENANT
from clusterops.readings.pod_requests import slim_spec
from clusterops.translate_pod import EXIT_REASONS, pod_state, time_of
from simulations.models import Job

Json = Mapping[str, Any]
Reason = Job.Reason

METADATA = ("name", "namespace", "uid", "labels", "creationTimestamp", "deletionTimestamp", "ownerReferences")
POD_STATUS = ("phase", "reason", "message", "conditions")


def slim_job(job: Json) -> dict[str, Any]:
    """What the rest of this module reads of a Job: a tenth of it. Lists are kept whole, their pages are not."""
    spec = {"ttlSecondsAfterFinished": job["spec"].get("ttlSecondsAfterFinished")}
    return {"metadata": _slim_metadata(job["metadata"]), "spec": spec, "status": job.get("status") or {}}


def slim_pod(pod: Json) -> dict[str, Any]:
    """What this module and `translate_cluster` read of a pod."""
    spec, status = pod["spec"], pod.get("status") or {}
    slim_status = {name: status[name] for name in POD_STATUS if name in status}
    slim_status["containerStatuses"] = [
        {"name": each.get("name"), "state": each.get("state")} for each in status.get("containerStatuses") or ()
    ]
    return {
        "metadata": _slim_metadata(pod["metadata"]),
        "spec": slim_spec(spec),
        "status": slim_status,
    }


def _slim_metadata(meta: Json) -> Json:
    return {name: meta[name] for name in METADATA if name in meta}


def runs(jobs: Iterable[Json], pods: Iterable[Json], explanations: Mapping[str, str]) -> list[Run]:
    """Every attempt in the lists. `explanations`: uid of a Job or a pod → why it goes no further, from events."""
    by_name: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for pod in pods:
        meta = pod["metadata"]
        names = meta.get("labels") or {}
        by_name[meta["namespace"], names.get("batch.kubernetes.io/job-name") or names.get("job-name") or ""].append(pod)
    found = []
    for job in jobs:
        meta = job["metadata"]
        key = (meta["namespace"], meta["name"])
        own = [pod for pod in by_name.get(key, ()) if owner_uid(pod) == meta["uid"]]
        if own:
            by_name[key] = [pod for pod in by_name[key] if pod not in own]
        run = run_of(job, own, explanations.get(meta["uid"], ""))
        if run.reason == Reason.WAITING_FOR_NODE:
            waits = next((pod["metadata"]["uid"] for pod in own if pod["metadata"]["name"] == run.pod_name), "")
            run = replace(run, detail=explanations.get(waits, run.detail))
        found.append(run)
    found += [_run_of_pods(left) for left in by_name.values() if left]
    return found


def run_of(job: Json, pods: list[Json], refusal: str = "") -> Run:
    """One attempt from its Job and the Job's own pods."""
    meta, status = job["metadata"], job.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or [] if c.get("status") == "True"}
    run = _newest(
        pods,
        meta,
        uid=meta["uid"],
        decided="Complete" in conditions or "Failed" in conditions,
        deleting="deletionTimestamp" in meta,
        created_at=time_of(meta.get("creationTimestamp")),
        ttl_s=(job.get("spec") or {}).get("ttlSecondsAfterFinished"),
    )
    if "Complete" in conditions:
        finished_at = run.finished_at or time_of(status.get("completionTime"))
        return replace(run, phase=Phase.SUCCEEDED, reason="", detail="", finished_at=finished_at)
    if failed := conditions.get("Failed"):
        return _failed(run, failed)
    if run.deleting:
        return replace(run, phase=Phase.ENDING, reason=run.reason or Reason.DELETED_EXTERNALLY)
    if not pods:
        return _without_pod(run, status, conditions, refusal)
    by_the_job = conditions.get("FailureTarget") or conditions.get("Suspended")
    if by_the_job and run.phase is Phase.ENDING and run.reason == Reason.DELETED_EXTERNALLY:
        return replace(run, reason=Reason.FINISHING, detail=by_the_job.get("message", ""))
    return run


def _failed(run: Run, condition: Json) -> Run:
    finished_at = run.finished_at or time_of(condition.get("lastTransitionTime"))
    run = replace(run, phase=Phase.FAILED, finished_at=finished_at, detail=run.detail or condition.get("message", ""))
    if condition.get("reason") == "DeadlineExceeded":
        return replace(run, reason=Reason.TIME_LIMIT)
    if run.exit_code is None and run.reason not in (Reason.NODE_LOST, Reason.PREEMPTED, Reason.EVICTED_DISK):
        # The pod is gone: a verdict named in the condition is all there is.
        _, found, code = condition.get("message", "").partition("failed with exit code ")
        if found and (number := code.split(" ", 1)[0]).isdigit():
            reason = EXIT_REASONS.get(int(number), Reason.RUNNER_ERROR)
            return replace(run, reason=reason, exit_code=int(number))
        return replace(run, reason=run.reason if run.pod_name and run.reason else Reason.LOST)
    return run


def _without_pod(run: Run, status: Json, conditions: Mapping[str, Json], refusal: str) -> Run:
    since = time_of(status.get("startTime")) or run.created_at
    if status.get("terminating") or "FailureTarget" in conditions or "SuccessCriteriaMet" in conditions:
        return replace(run, phase=Phase.ENDING, reason=Reason.FINISHING, waiting_since=since)
    reason = Reason.STARTING
    if refusal:
        reason = Reason.ADMISSION_REFUSED
        if "exceeded quota" in refusal:
            reason = Reason.WAITING_QUOTA
        elif "is being terminated" in refusal:
            reason = Reason.NAMESPACE_TERMINATING
    return replace(run, phase=Phase.WAITING, reason=reason, detail=refusal, waiting_since=since)


def _run_of_pods(pods: list[Json]) -> Run:
    """Pods whose Job is gone: in their grace period, or orphaned by a delete without a propagation policy."""
    meta = max(pods, key=_age)["metadata"]
    names = meta.get("labels") or {}
    return _newest(
        pods,
        {**meta, "name": names.get("batch.kubernetes.io/job-name") or names.get("job-name") or ""},
        job_exists=False,
        orphan=not meta.get("ownerReferences"),
        deleting="deletionTimestamp" in meta,
        created_at=time_of(meta.get("creationTimestamp")),
    )


def _newest(pods: list[Json], meta: Json, **fields: Any) -> Run:
    """What the newest pod says, and `fields`; names from `meta`."""
    names = meta.get("labels") or {}
    attempt = names.get(ATTEMPT, "1")
    fields |= {
        "name": meta["name"],
        "namespace": meta["namespace"],
        "job_id": names.get(JOB_ID, ""),
        "attempt": int(attempt) if attempt.isdigit() else 1,
        "tenant_id": names.get(TENANT, ""),
    }
    if not pods:
        return Run(phase=Phase.WAITING, **fields)
    pod = max(pods, key=_age) if len(pods) > 1 else pods[0]
    return Run(replaced_pods=len(pods) - 1, **pod_state(pod), **fields)


def owner_uid(pod: Json) -> str:
    owners = pod["metadata"].get("ownerReferences")
    return owners[0]["uid"] if owners else ""


def _age(pod: Json) -> tuple[bool, str, str]:
    meta = pod["metadata"]
    return "deletionTimestamp" not in meta, meta.get("creationTimestamp") or "", meta["name"]
