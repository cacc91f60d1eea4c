"""The API server's Jobs, pods and events → `Run`s. Pure; tested on recordings of a real cluster."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from clusterops.contract import Phase, Run
from clusterops.objects.manifests import ATTEMPT, JOB_ID, QUEUE_NAME, TENANT
from clusterops.readings import values
from clusterops.readings.pod_requests import slim_spec
from clusterops.readings.pods import pod_state
from clusterops.readings.values import moment, words
from simulations.models import Job
from simulations.sumo.protocol.endings import EXIT_REASONS

Json = Mapping[str, Any]
Reason = Job.Reason

METADATA = (
    *("name", "namespace", "uid", "resourceVersion", "labels", "creationTimestamp", "deletionTimestamp"),
    "ownerReferences",
)
VERDICTS = {"Complete", "Failed"}
POD_STATUS = ("phase", "reason", "message", "conditions")
EXIT_CODE = re.compile(r"failed with exit code ([0-9]{1,4})\b")
JOB_NAME = re.compile(r"sim-([0-9a-f]{32})(-[0-9]+)?")


def slim_job(job: Json) -> Any:
    """What the rest of this module reads of a Job: a tenth of it. Lists are kept whole, their pages are not."""
    return _slim(_slim_job, job)


def slim_pod(pod: Json) -> Any:
    """What this module and `readings.cluster` read of a pod."""
    return _slim(_slim_pod, pod)


def _slim(slim: Callable[[Json], Json], item: Json) -> Any:
    try:
        return slim(item)
    except Exception:  # noqa: BLE001 - in a shape never seen: whoever reads it says so
        return item


def _slim_job(job: Json) -> Json:
    spec = {name: job["spec"].get(name) for name in ("ttlSecondsAfterFinished", "suspend")}
    return {"metadata": _slim_metadata(job["metadata"]), "spec": spec, "status": job.get("status") or {}}


def _slim_pod(pod: Json) -> Json:
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


class KnownRuns:
    """What the lists before came to: most objects have not changed since, and a change gives each another version."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, ...], Run] = {}
        self._now: dict[tuple[str, ...], Run] = {}

    def begin(self) -> None:
        """Lists of another moment: what the ones before did not have is forgotten."""
        self._before, self._now = self._now, {}

    def run(self, job: Json, own: list[Json], explanations: Mapping[str, str]) -> Run:
        metas = [job["metadata"], *(pod["metadata"] for pod in own)]
        versions = [(meta.get("uid"), meta.get("resourceVersion")) for meta in metas]
        key = tuple(text for pair in versions for text in pair if isinstance(text, str) and text)
        if len(key) < 2 * len(metas) or not explanations.keys().isdisjoint(key):
            return _run(job, own, explanations)
        found = self._before.get(key)
        self._now[key] = run = found if found is not None else _run(job, own, explanations)
        return run


def runs(
    jobs: Iterable[Json], pods: Iterable[Json], explanations: Mapping[str, str], known: KnownRuns | None = None
) -> list[Run]:
    """Every attempt in the lists. `explanations`: uid of a Job or a pod → why it goes no further, from events.

    What cannot be read becomes a run in the phase UNREADABLE, since it must not be taken for an absence.
    """
    known = known or KnownRuns()
    known.begin()
    by_name: dict[tuple[str, str], list[Json]] = defaultdict(list)
    found = []
    for pod in pods:
        try:
            by_name[_job_of(pod)].append(pod)
        except Exception as error:  # noqa: BLE001 - each object on its own
            found.append(_unreadable("Pod", pod, error))
    for job in jobs:
        try:
            meta = job["metadata"]
            others = by_name.pop((meta["namespace"], meta["name"]), [])
            own = [pod for pod in others if owner_uid(pod) == meta["uid"]]
            if left := [pod for pod in others if pod not in own]:
                by_name[meta["namespace"], meta["name"]] = left
            found.append(known.run(job, own, explanations))
        except Exception as error:  # noqa: BLE001 - each object on its own
            found.append(_unreadable("Job", job, error))
    for left in by_name.values():
        try:
            found.append(_run_of_pods(left))
        except Exception as error:  # noqa: BLE001 - each object on its own
            found.append(_unreadable("Pod", left[0], error))
    return found


def _job_of(pod: Json) -> tuple[str, str]:
    """(namespace, name) of the Job that made it, as far as its labels tell."""
    meta = pod["metadata"]
    names = meta.get("labels") or {}
    return meta["namespace"], names.get("batch.kubernetes.io/job-name") or names.get("job-name") or ""


def _run(job: Json, own: list[Json], explanations: Mapping[str, str]) -> Run:
    uid = job["metadata"]["uid"]
    try:
        run = run_of(job, own, explanations.get(uid, ""))
    except Exception:
        if not values.unless_odd(_has_verdict, job):
            raise
        run = run_of(job, [])  # the Job's verdict stands, whatever is odd about its pod
    if run.reason == Reason.WAITING_FOR_NODE:
        waits = next((pod["metadata"]["uid"] for pod in own if pod["metadata"]["name"] == run.pod_name), "")
        run = replace(run, detail=explanations.get(waits, run.detail))
    return run


def _has_verdict(job: Json) -> bool:
    return any(each["type"] in VERDICTS and each["status"] == "True" for each in job["status"]["conditions"])


def _unreadable(kind: str, item: Any, error: Exception) -> Run:
    """With what can be told of it, so that its job is found."""

    def inner(value: Any, name: str) -> Any:
        return value.get(name) if isinstance(value, Mapping) else None

    def text(value: Any) -> str:
        return values.name(value) if isinstance(value, str) else ""

    meta = inner(item, "metadata")
    names = inner(meta, "labels")
    name = text(inner(meta, "name"))
    if kind == "Pod":
        name = text(inner(names, "batch.kubernetes.io/job-name")) or text(inner(names, "job-name"))
    named = JOB_NAME.fullmatch(name)
    return Run(
        name=name,
        namespace=text(inner(meta, "namespace")),
        job_id=text(inner(names, JOB_ID)) or (named[1] if named else ""),
        attempt=values.attempt(inner(names, ATTEMPT)),
        phase=Phase.UNREADABLE,
        detail=values.oddity(item, kind, error),
        job_exists=kind == "Job",
    )


def run_of(job: Json, pods: list[Json], refusal: str = "") -> Run:
    """One attempt from its Job and the Job's own pods."""
    meta, status = job["metadata"], job.get("status") or {}
    conditions = {c["type"]: c for c in status.get("conditions") or [] if c.get("status") == "True"}
    run = _newest(
        pods,
        meta,
        uid=meta["uid"],
        decided=not VERDICTS.isdisjoint(conditions),
        deleting="deletionTimestamp" in meta,
        created_at=moment(meta.get("creationTimestamp")),
        ttl_s=values.whole((job.get("spec") or {}).get("ttlSecondsAfterFinished")),
    )
    if "Complete" in conditions:
        finished_at = run.finished_at or moment(status.get("completionTime"))
        return replace(run, phase=Phase.SUCCEEDED, reason="", detail="", finished_at=finished_at)
    if failed := conditions.get("Failed"):
        return _failed(run, failed)
    if run.deleting and run.phase not in (Phase.SUCCEEDED, Phase.FAILED):
        return replace(run, phase=Phase.ENDING, reason=run.reason or Reason.DELETED_EXTERNALLY)
    if (job.get("spec") or {}).get("suspend") and QUEUE_NAME in (meta.get("labels") or {}):
        return _held_by_kueue(run, conditions.get("Suspended") or {})
    if not pods:
        return _without_pod(run, status, conditions, refusal)
    by_the_job = conditions.get("FailureTarget") or conditions.get("Suspended")
    if by_the_job and run.phase is Phase.ENDING and run.reason == Reason.DELETED_EXTERNALLY:
        return replace(run, reason=Reason.FINISHING, detail=words(by_the_job.get("message")))
    return run


def _failed(run: Run, condition: Json) -> Run:
    finished_at = run.finished_at or moment(condition.get("lastTransitionTime"))
    run = replace(
        run, phase=Phase.FAILED, finished_at=finished_at, detail=run.detail or words(condition.get("message"))
    )
    if condition.get("reason") == "DeadlineExceeded":
        return replace(run, reason=Reason.TIME_LIMIT)
    if run.exit_code is None and run.reason not in (Reason.NODE_LOST, Reason.PREEMPTED, Reason.EVICTED_DISK):
        # The pod is gone: a verdict named in the condition is all there is.
        if found := EXIT_CODE.search(words(condition.get("message"))):
            code = int(found[1])
            return replace(run, reason=EXIT_REASONS.get(code, Reason.RUNNER_ERROR), exit_code=code)
        return replace(run, reason=run.reason if run.pod_name and run.reason else Reason.LOST)
    return run


def _held_by_kueue(run: Run, suspended: Json) -> Run:
    """Not let in yet, or its room was needed: then its pod ends, however it ends, and it waits again."""
    if run.phase in (Phase.RUNNING, Phase.ENDING):
        lost = run.reason == Reason.NODE_LOST
        return run if lost else replace(run, phase=Phase.ENDING, reason=Reason.WAITING_KUEUE)
    if run.phase is Phase.SUCCEEDED:  # it was done before it could be stopped: the Job will say so
        return replace(run, phase=Phase.ENDING, reason=Reason.FINISHING)
    since = moment(suspended.get("lastTransitionTime")) or run.created_at
    fresh: dict[str, Any] = {"exit_code": None, "report": None, "detail": "", "waiting_since": since}
    return replace(run, phase=Phase.WAITING, reason=Reason.WAITING_KUEUE, **fresh)


def _without_pod(run: Run, status: Json, conditions: Mapping[str, Json], refusal: str) -> Run:
    since = moment(status.get("startTime")) or run.created_at
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
        created_at=moment(meta.get("creationTimestamp")),
    )


def _newest(pods: list[Json], meta: Json, **fields: Any) -> Run:
    """What the newest pod says, and `fields`; names from `meta`."""
    names = meta.get("labels") or {}
    fields |= {
        "name": values.name(meta["name"]),
        "namespace": values.name(meta["namespace"]),
        "job_id": values.name(names.get(JOB_ID)),
        "attempt": values.attempt(names.get(ATTEMPT)),
        "tenant_id": values.name(names.get(TENANT)),
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
