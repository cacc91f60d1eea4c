"""Each active job against what the cluster says of it: gather, decide, record, delete."""

from typing import Any

from django.conf import settings

from clusterops.contract import Phase, Run, SpaceState
from clusterops.models import TenantNamespace
from clusterops.policy import decide as rules
from clusterops.reconciler.pass_state import LastWords, Pass, is_database_lost, log
from clusterops.usage import recording
from simulations import manifests
from simulations.models import Artifact, Job
from simulations.sumo.protocol.report import RunReport
from tenants.errors import ApiError

CONFIRM_EVERY_S = 60
NEEDED = [
    *("job_id", "tenant_id", "k8s_job_name", "k8s_namespace", "status", "reason", "message", "attempt", "disruptions"),
    *("submitted_at", "dispatched_at", "started_at", "finished_at", "observed_at", "cancel_requested_at"),
    *("cpu_request", "memory_gi", "priority_class", "priority", "pod_name", "node_name", "exit_code"),
]


def active_jobs() -> list[Job]:
    """All jobs that have not ended, oldest first: one query, no wide columns beyond what decisions read."""
    return list(Job.objects.active().only(*NEEDED).order_by("submitted_at", "job_id"))


def settle(this: Pass) -> None:
    """One decision per active job, each behind its own wall."""
    namespaces = Namespaces(this)
    for job in this.jobs:
        what = f"job {job.job_id}"
        if this.rests(what):
            this.blocked.add(job.pk)  # what it has in the cluster is not looked at, so nothing is to be started
            continue
        with this.wall(what):
            _settle(this, job, namespaces)


def _settle(this: Pass, job: Job, namespaces: "Namespaces") -> None:
    for earlier in this.earlier(job):
        if earlier.job_exists and not earlier.deleting:
            this.counts.deleted += this.gateway.delete_run(earlier.namespace, earlier.name)
        if _may_still_run(earlier):
            this.blocked.add(job.pk)
    run = this.current(job)
    if run is None and job.pk in this.blocked and job.dispatched_at is None and not job.cancel_requested_at:
        _say_why_it_waits(job)
        return
    evidence = None
    if rules.needs_evidence(job, run):
        if run is None and this.gateway.run_exists(job.k8s_namespace, job.k8s_job_name):
            return  # made or relabelled since the lists were taken: the next pass sees it
        evidence = rules.Evidence(namespaces.is_going(job), stored_report(job))
    if run is not None and run.deleting and run.pod_name and job.cancel_requested_at:
        # Its last words come while it ends, and go with the pod.
        this.last_words.append(LastWords(job, run, is_final=False, delete=False))
    if run is not None and run.phase is Phase.FAILED:
        _load_figures(job)
    if decision := rules.decide(job, run, this.now, evidence):
        _carry_out(this, job, run, decision)
    else:
        recording.note_end(job, run)


def _load_figures(job: Job) -> None:
    """What sentences about failures tell of; too wide to be loaded for all jobs at each pass."""
    wide = Job.objects.filter(pk=job.pk).values("scenario_data", "progress").first()
    for name, value in (wide or {}).items():
        setattr(job, name, value)


def stored_report(job: Job) -> RunReport | None:
    """What the manifest among the job's results says; None if there is none, or none that makes sense.

    Raises ApiError while storage does not answer; a cancelled job does not wait for that.
    """
    row = Artifact.objects.filter(job=job, attempt=job.attempt, name=manifests.NAME).first()
    try:
        manifest = manifests.read(row) if row else None
    except ApiError as error:
        if job.cancel_requested_at is None:
            raise
        log.warning("job %s: it is cancelled without its report: %s", job.job_id, error.message)
        return None
    return manifest["report"] if manifest else None


def _say_why_it_waits(job: Job) -> None:
    """Its pod of the attempt before still ends."""
    if job.attempt > 1 and job.reason != Job.Reason.QUEUED:
        message = f"Attempt {job.attempt} of {settings.MAX_ATTEMPTS} begins when the pod of the one before is gone."
        job.move_to(job.status, reason=Job.Reason.QUEUED, message=message)


def _may_still_run(run: Run) -> bool:
    return run.phase not in (Phase.SUCCEEDED, Phase.FAILED) and run.reason != Job.Reason.NODE_LOST


def _carry_out(this: Pass, job: Job, run: Run | None, decision: rules.Decision) -> None:
    columns = {**decision.columns, "observed_at": this.now}
    attempt, ends = job.attempt, decision.status in Job.TERMINAL
    if ends and (run is None or not run.job_exists):
        columns["released_at"] = this.now  # nothing is left to let go
    if not _record(job, run, decision, columns):
        return  # another writer was first: the next pass looks again
    this.counts.changed += 1
    if attempt != job.attempt:
        this.blocked.add(job.pk)
        this.more = True
    if run is not None and (decision.delete or (ends and not run.job_exists)):
        this.last_words.append(LastWords(job, run, is_final=ends, delete=decision.delete))


def _record(job: Job, run: Run | None, decision: rules.Decision, columns: dict[str, Any]) -> bool:
    """`Job.move_to`; an ending that cannot be recorded with all that belongs to it is recorded without."""
    try:
        return recording.move(job, run, decision.status, reason=decision.reason, message=decision.message, **columns)
    except Exception as error:
        if decision.status not in Job.TERMINAL or is_database_lost(error):
            raise
        log.exception("job %s: its ending as %s cannot be recorded", job.job_id, decision.reason)
    bare = {name: columns[name] for name in ("observed_at", "released_at") if name in columns}
    if decision.status == Job.Status.CANCELLED:
        message = "Cancelled on request. What it had come to could not be recorded."
        return recording.move(job, None, decision.status, reason=Job.Reason.CANCELLED, message=message, **bare)
    message = "It has ended, but how could not be recorded, which is our fault; tell the operator."
    return recording.move(job, None, Job.Status.FAILED, reason=Job.Reason.RUNNER_ERROR, message=message, **bare)


class Namespaces:
    """Which tenants' namespaces are going or gone; asked once per pass and only if some job's end is in doubt."""

    def __init__(self, this: Pass) -> None:
        self._this = this
        self._states: dict[str, SpaceState] | None = None
        self._known: dict[str, str] = {}

    def is_going(self, job: Job) -> bool:
        """Terminating, gone, or replaced by another namespace of the same name since we made ours."""
        if self._states is None:
            self._states = self._this.gateway.namespaces()
            self._known = dict(TenantNamespace.objects.values_list("namespace", "uid"))
        state = self._states.get(job.k8s_namespace)
        known = self._known.get(job.k8s_namespace)
        return state is None or state.terminating or bool(known and known != state.uid)


def confirm(this: Pass) -> None:
    """Note for all jobs at once, every minute, that the cluster still says what their rows say."""
    if this.memory.due("confirm", CONFIRM_EVERY_S):
        seen = Job.objects.active().filter(dispatched_at__isnull=False)
        unseen = [job.pk for job in this.jobs if job.dispatched_at and not job.is_finished and not this.current(job)]
        seen.exclude(pk__in=unseen).update(observed_at=this.now)
