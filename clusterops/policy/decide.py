"""The rule book: one job's row and what the cluster says of it → what to write and whether to delete. Pure.

Level-triggered: the same question again gives the same answer, and None once everything is as it should be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from clusterops.contract import Phase, Run
from clusterops.policy.sentences import sentence
from simulations.models import Job
from simulations.sumo.protocol.endings import DOUBTFUL, NEEDS_OPERATOR, OUTCOME_REASONS, RETRIED
from simulations.sumo.protocol.report import RunReport

Status, Reason = Job.Status, Job.Reason

# What the pod before told of its way says nothing of the next one's. The API writes these columns too, but only for the
# present attempt and with the next record, so neither writer takes the other's for its own.
FRESH = {"progress": None, "progress_at": None}
MAX_DISRUPTIONS = 2**15 - 1  # of the column


@dataclass(frozen=True)
class Evidence:
    """What else could be found out about a run that is gone or whose end is in doubt."""

    namespace_terminating: bool = False
    report: RunReport | None = None  # from the stored manifest, which is uploaded last


@dataclass(frozen=True)
class Decision:
    """Write this; then, if `delete`, delete the run. Should we die in between, the next pass deletes."""

    status: str
    reason: str
    message: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    delete: bool = False


def needs_evidence(job: Job, run: Run | None) -> bool:
    """Whether to gather `Evidence` before `decide`: the run is gone, or ended in a way that does not explain itself."""
    if run is None:
        return job.dispatched_at is not None
    if run.phase is Phase.SUCCEEDED:
        return run.report is None
    return run.phase is Phase.FAILED and (run.reason in DOUBTFUL or run.reason == Reason.RESULTS_NOT_STORED)


def decide(job: Job, run: Run | None, now: datetime, evidence: Evidence | None = None) -> Decision | None:
    """What becomes of an active job. `run` is its current attempt, None if the cluster has nothing of it.

    None: leave everything as it is. A terminal job is never decided about.
    """
    if job.is_finished:
        return None
    evidence = evidence or Evidence()
    if run is None:
        decision = _without_run(job, now, evidence)
    elif run.phase is Phase.UNREADABLE:
        decision = _unreadable(job, run, now)
    else:
        decision = _with_run(job, run, now, evidence)
    return decision if decision and _says_something_new(job, decision) else None


def _without_run(job: Job, now: datetime, evidence: Evidence) -> Decision | None:
    if job.cancel_requested_at:
        return _end(job, Status.CANCELLED, Reason.CANCELLED, report=evidence.report)
    if job.dispatched_at is None:
        return None  # the dispatcher's turn
    return _taken_away(job, None, now, evidence, Reason.LOST)


def _taken_away(job: Job, run: Run | None, now: datetime, evidence: Evidence, reason: str) -> Decision:
    """Its pod is gone, with its Job or without, and nothing of ours or the cluster's own repairs took it away.

    A report that tells an end of its own stands. One that only tells of the signal does not: who stopped it is asked
    here. A drained, preempted or lost pod never comes here: its Job replaces it.
    """
    report = run.report if run is not None and run.report is not None else evidence.report
    own = OUTCOME_REASONS.get(str(report.get("outcome"))) if report is not None else None
    if report is not None and own and own != Reason.INTERRUPTED:
        return _by_report(job, report, run, now)
    if job.cancel_requested_at:
        return _end(job, Status.CANCELLED, Reason.CANCELLED, run, now, report=report)
    if evidence.namespace_terminating:
        reason = Reason.NAMESPACE_TERMINATING
    elif own or reason == Reason.INTERRUPTED or _was_deleted(job, now):
        reason = Reason.DELETED_EXTERNALLY
    return _end(job, Status.FAILED, reason, run, now, report=report)


def _was_deleted(job: Job, now: datetime) -> bool:
    """Its deletion was seen, or it was there so lately that nobody but another hand can have removed it since: what we
    let go of is kept longer. Else it may have ended in a time that this database knows nothing of."""
    there = max(filter(None, (job.observed_at, job.dispatched_at)), default=job.submitted_at)
    kept = timedelta(seconds=settings.JOB_TTL_AFTER_CAPTURE_SECONDS)
    return job.reason == Reason.DELETED_EXTERNALLY or now - there < kept


def _unreadable(job: Job, run: Run, now: datetime) -> Decision | None:
    """Nothing is concluded from what cannot be read; but a wish is granted, and nothing is waited for for ever."""
    if job.cancel_requested_at:
        return _stay(job, run, now, Reason.CANCELLING, delete=run.job_exists)
    lifetime = timedelta(seconds=settings.START_TIMEOUT_S + settings.JOB_MAX_TIME_LIMIT_S)
    if now - (job.dispatched_at or job.submitted_at) > lifetime:
        return _end(job, Status.FAILED, Reason.RUNNER_ERROR, run, now, delete=run.job_exists)
    return None


def _with_run(job: Job, run: Run, now: datetime, evidence: Evidence) -> Decision:
    if run.phase is Phase.SUCCEEDED:
        return _succeeded(job, run, now, evidence)
    if run.phase is Phase.FAILED:
        return _failed(job, run, now, evidence)
    if job.cancel_requested_at:
        stop = run.job_exists and not run.deleting
        return _stay(job, run, now, Reason.CANCELLING, delete=stop)
    waited = now - max(filter(None, (run.waiting_since, job.dispatched_at)), default=now)
    if run.reason == Reason.NODE_LOST and run.phase is not Phase.WAITING:
        if waited > timedelta(seconds=settings.NODE_LOST_AFTER_S):
            return _again(job, run, now, Reason.NODE_LOST)
        return _stay(job, run, now, Reason.NODE_LOST)
    if run.phase is Phase.RUNNING and job.reason == Reason.SERVICE_UNREACHABLE:
        # Its log said so; `unreachable.heed` reads there too when it is over.
        return Decision(Status.RUNNING, job.reason, job.message, _placed(job, run, now))
    if run.phase is Phase.RUNNING:
        return _stay(job, run, now, Reason.RUNNING, status=Status.RUNNING)
    if run.phase is Phase.ENDING:
        return _stay(job, run, now, run.reason or Reason.FINISHING)
    return _waiting(job, run, now, waited)


def _waiting(job: Job, run: Run, now: datetime, waited: timedelta) -> Decision:
    if run.reason in NEEDS_OPERATOR and waited > timedelta(seconds=settings.IMAGE_ERROR_GRACE_S):
        return _end(job, Status.FAILED, run.reason, run, now, delete=True)
    if run.reason != Reason.WAITING_KUEUE and waited > timedelta(seconds=settings.START_TIMEOUT_S):
        return _end(job, Status.FAILED, Reason.START_TIMEOUT, run, now, delete=True)
    return _stay(job, run, now, run.reason or Reason.STARTING)


def _succeeded(job: Job, run: Run, now: datetime, evidence: Evidence) -> Decision:
    report = run.report if run.report is not None else evidence.report
    # Told to stop, and stopped without an error: no success. What Kueue stops leaves no pod to tell it.
    stopped = job.reason == Reason.WAITING_KUEUE if report is None else report.get("outcome") == "interrupted"
    if stopped and job.cancel_requested_at is None:
        return _again(job, run, now, Reason.INTERRUPTED)
    if report is not None and report.get("uploaded"):
        return _end(job, Status.SUCCEEDED, Reason.COMPLETED, run, now, report=report)
    return _end(job, Status.FAILED, Reason.RESULTS_NOT_STORED, run, now, report=report)


def _failed(job: Job, run: Run, now: datetime, evidence: Evidence) -> Decision:
    reason = run.reason or Reason.LOST
    if reason == Reason.RESULTS_NOT_STORED and evidence.report is not None:
        # Sealed by a pod that was taken away just then; its replacement was refused.
        return _by_report(job, evidence.report, run, now)
    if reason in DOUBTFUL:
        if reason == Reason.DELETED_EXTERNALLY or not run.pod_name:
            return _taken_away(job, run, now, evidence, reason)
        if run.report is None and evidence.report is not None:
            return _by_report(job, evidence.report, run, now)
        if evidence.namespace_terminating:
            return _end(job, Status.FAILED, Reason.NAMESPACE_TERMINATING, run, now)
    if reason in RETRIED:
        return _again(job, run, now, reason)
    return _end(job, Status.FAILED, reason, run, now)


def _by_report(job: Job, report: RunReport, run: Run | None, now: datetime) -> Decision:
    """The end that a report tells, when the pod that wrote it is gone."""
    reason = OUTCOME_REASONS.get(str(report.get("outcome")), Reason.LOST)
    if reason in RETRIED:
        return _again(job, run, now, reason, report)
    status = Status.SUCCEEDED if reason == Reason.COMPLETED else Status.FAILED
    return _end(job, status, reason, run, now, report=report)


def _again(job: Job, run: Run | None, now: datetime, reason: str, report: RunReport | None = None) -> Decision:
    """A new attempt, with a new name, so that nothing of the old one can be mistaken for it. Nothing else promises that
    the job starts again."""
    if job.cancel_requested_at:
        return _end(job, Status.CANCELLED, Reason.CANCELLED, run, now, report=report)
    if job.attempt >= settings.MAX_ATTEMPTS:
        decided = run is None or run.decided
        return _end(job, Status.FAILED, reason, run, now, report=report, delete=not decided)
    promise = f"It starts again by itself: attempt {job.attempt + 1} of {settings.MAX_ATTEMPTS} follows."
    message = _joined(sentence(reason, job, run, report), promise)
    columns = {
        "attempt": job.attempt + 1,
        "k8s_job_name": job.name_of_attempt(job.attempt + 1),
        "dispatched_at": None,
        "pod_name": "",
        "node_name": "",
        "exit_code": None,
        **FRESH,
    }
    return Decision(job.status, reason, message, columns, delete=True)


def _stay(
    job: Job, run: Run, now: datetime, reason: str, *, status: str | None = None, delete: bool = False
) -> Decision:
    """Not ended: same status (or RUNNING), newer reason. RUNNING never goes back to PENDING."""
    status = status or job.status
    columns = _placed(job, run, now)
    if status == Status.RUNNING and job.started_at is None:
        columns["started_at"] = _started(job, run, now)
    return Decision(status, reason, sentence(reason, job, run), columns, delete)


def _end(
    job: Job,
    status: str,
    reason: str,
    run: Run | None = None,
    now: datetime | None = None,
    *,
    report: RunReport | None = None,
    delete: bool = False,
) -> Decision:
    columns: dict[str, Any] = {}
    if run is not None and now is not None:
        columns = _placed(job, run, now)
        started = job.started_at or (_started(job, run, now) if run.started_at else None)
        columns |= {"started_at": started, "exit_code": run.exit_code}
        columns["finished_at"] = _between(started or job.submitted_at, run.finished_at, now)
        report = report if report is not None else run.report
    if report is not None:
        columns["results"] = dict(report)
    message = sentence(reason, job, run, report)
    if reason in RETRIED:
        times = "once" if job.attempt == 1 else f"{job.attempt} times"
        tried = f"It was tried {times}. Submit it again; if it happens again, tell the operator."
        message = _joined(message, tried)
    if job.cancel_requested_at and status != Status.CANCELLED:
        message = _joined(message, "It ended before it could be cancelled.")
    return Decision(status, reason, message, columns, delete)


def _joined(said: str, more: str) -> str:
    """Two sentences; the first may be SUMO's or the runner's own words."""
    return f"{said.rstrip('.')}. {more}"


def _placed(job: Job, run: Run, now: datetime) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if job.dispatched_at is None:  # made by a pass that died before it could say so
        columns["dispatched_at"] = _between(job.submitted_at, run.created_at, now)
    if run.pod_name and run.pod_name != job.pod_name:
        columns["pod_name"] = run.pod_name
        if job.pod_name:  # preempted, drained or the like; a new attempt begins without a pod
            columns |= {"disruptions": min(job.disruptions + 1, MAX_DISRUPTIONS), **FRESH}
    if run.node_name and run.node_name != job.node_name:
        columns["node_name"] = run.node_name
    return columns


def _started(job: Job, run: Run, now: datetime) -> datetime:
    """The cluster tells whole seconds: a quick start would seem to be before the job was even submitted."""
    return _between(job.dispatched_at or job.submitted_at, run.started_at, now)


def _between(earliest: datetime, moment: datetime | None, latest: datetime) -> datetime:
    """The cluster's clock and ours may differ: its times are kept within what we know ourselves."""
    return max(earliest, min(moment or latest, latest))


def _says_something_new(job: Job, decision: Decision) -> bool:
    return (
        decision.delete
        or bool(decision.columns)
        or (decision.status, decision.reason, decision.message)
        != (
            job.status,
            job.reason,
            job.message,
        )
    )
