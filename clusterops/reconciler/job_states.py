"""Each active job against what the cluster says of it: gather, decide, record, delete."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from clusterops.contract import NamespaceState, Phase, Run
from clusterops.models import TenantNamespace
from clusterops.policy import decide as rules
from clusterops.reconciler.pass_state import LastLog, Pass, as_uuid, is_database_lost, log
from clusterops.reconciler.recording import BATCH, name_of, record
from clusterops.usage import recording
from simulations import result_manifest
from simulations.models import Artifact, Job, Move
from simulations.models.columns import FOR_DECISION
from simulations.sumo.protocol.report import RunReport
from tenants.errors import ApiError

CONFIRM_EVERY_S = 60


def jobs_in_hand(cluster_id: int) -> list[Job]:
    """The cluster's, oldest first: one query, no wide columns beyond what decisions read."""
    return list(Job.objects.in_hand().filter(cluster=cluster_id).only(*FOR_DECISION).order_by("submitted_at", "job_id"))


def add_listed(this_pass: Pass) -> None:
    """Jobs of which the cluster has something although their rows, restored from an older state, know nothing of it.

    Such a row may even name the cluster that its tenant had moved away from: the job is here, where it may still run.
    """
    known = {job.job_id.hex for job in this_pass.jobs}
    listed = [job_id for text in this_pass.by_job.keys() - known if (job_id := as_uuid(text))]
    if listed:
        rows, here = Job.objects.active().filter(pk__in=listed), this_pass.cluster.pk
        if this_pass.others:
            rows.filter(dispatching_at=None, cluster__in=this_pass.others).update(cluster=here)
        this_pass.jobs += rows.filter(cluster=here).only(*FOR_DECISION).order_by("submitted_at", "job_id")


def update_jobs(this_pass: Pass) -> None:
    """One decision per job, each isolated from the others, written in batches: an ending waits for few others."""
    namespaces = Namespaces(this_pass)
    found: list[Decided] = []
    for job in this_pass.jobs:
        what = name_of(job)
        if this_pass.rests(what):
            this_pass.blocked.add(job.pk)  # what it has in the cluster is not looked at, so nothing is to be started
            continue
        with this_pass.isolate(what, done=False):
            if one := _decide_one(this_pass, job, namespaces):
                found.append(one)
            else:
                this_pass.memory.troubles.over(what)
        if len(found) >= BATCH:
            record_found(this_pass, found)
            found = []
    record_found(this_pass, found)


@dataclass(frozen=True)
class Decided:
    """A decision, and the run it is about."""

    job: Job
    run: Run | None
    decision: rules.Decision


def _decide_one(this_pass: Pass, job: Job, namespaces: "Namespaces") -> Decided | None:
    """What is to become of one job; None: it stays as it is.

    1. Runs of earlier attempts are deleted first, and while one may still run nothing of the job is started: one
       attempt at a time, whatever was recorded.
    2. The present run is looked up in the lists. Evidence beyond them (is it there after all, does its namespace go,
       what did it report) costs a call each and is gathered only where a decision would turn on it.
    3. The log of a pod that is being deleted is noted before the decision: it goes with the pod.
    4. The rule book decides. It is pure: all that it may look at was gathered before.
    """
    for earlier in this_pass.earlier(job):
        if earlier.job_exists and not earlier.deleting:
            this_pass.counts.deleted += this_pass.gateway.delete_run(earlier.namespace, earlier.name)
        if _may_still_run(earlier):
            this_pass.blocked.add(job.pk)
    run = this_pass.current(job)
    if run is None and job.pk in this_pass.blocked and job.dispatched_at is None and not job.cancel_requested_at:
        _say_why_it_waits(job)
        return None
    evidence = None
    if rules.needs_evidence(job, run):
        if run is None and this_pass.gateway.run_exists(job.k8s_namespace, job.k8s_job_name):
            return None  # made or relabelled since the lists were taken: the next pass sees it
        evidence = rules.Evidence(namespaces.is_going(job), stored_report(job))
    if run is not None and run.deleting and run.pod_name and job.cancel_requested_at:
        # Its last words come while it ends, and go with the pod.
        this_pass.last_logs.append(LastLog(job, run, is_final=False, delete=False))
    if run is not None and run.phase is Phase.FAILED:
        load_figures(job)
    decision = rules.decide(job, run, this_pass.now, evidence)
    if decision is None:
        recording.note_end(job, run)
        return None
    return Decided(job, run, decision)


def load_figures(job: Job) -> None:
    """What sentences about failures tell of; too wide to be loaded for all jobs at each pass."""
    wide = Job.objects.filter(pk=job.pk).values("scenario_data", "progress").first()
    for name, value in (wide or {}).items():
        setattr(job, name, value)


def stored_report(job: Job) -> RunReport | None:
    """What the manifest among the job's results says; None if there is none, or none that makes sense.

    Raises ApiError while storage does not answer; a cancelled job does not wait for that.
    """
    row = Artifact.objects.filter(job=job, attempt=job.attempt, name=result_manifest.NAME).first()
    try:
        manifest = result_manifest.read(row) if row else None
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


def record_found(this_pass: Pass, found: list[Decided]) -> None:
    """Record the decisions, then note what follows from those that were recorded.

    1. A batch and the usage that it proves are one transaction.
    2. Nothing in the cluster is touched before the row says so: a crash in between leaves work, never a lost answer.
    3. Logs are read and Jobs deleted by later steps: an ending never waits for a kubelet.
    """
    attempts = {each.job.pk: each.job.attempt for each in found}
    by_job = {each.job.pk: each for each in found}
    runs = {each.job.pk: each.run for each in found}

    def many(moves: Sequence[Move]) -> set[UUID]:
        return recording.move_all(moves, runs)

    def one(move: Move) -> bool:
        return _record_one(move, runs[move.job.pk])

    for move in record(this_pass, [_move_of(this_pass, each) for each in found], many=many, one=one):
        # Of the others another writer was first: the next pass looks again.
        job, run, decision = by_job[move.job.pk].job, by_job[move.job.pk].run, by_job[move.job.pk].decision
        ends = decision.status in Job.TERMINAL
        this_pass.counts.changed += 1
        if attempts[job.pk] != job.attempt:
            this_pass.blocked.add(job.pk)
            this_pass.more = True
        if run is not None and (decision.delete or (ends and not run.job_exists)):
            this_pass.last_logs.append(LastLog(job, run, is_final=ends, delete=decision.delete))


def _move_of(this_pass: Pass, found: Decided) -> Move:
    decision, run = found.decision, found.run
    columns = {**decision.columns, "observed_at": this_pass.now}
    if decision.status in Job.TERMINAL and (run is None or not run.job_exists):
        columns["released_at"] = this_pass.now  # nothing is left to let go
    return Move(found.job, decision.status, decision.reason, decision.message, columns)


def _record_one(move: Move, run: Run | None) -> bool:
    """An ending that cannot be recorded with all that belongs to it is recorded without."""
    job = move.job
    try:
        return bool(recording.move_all([move], {job.pk: run}))
    except Exception as error:
        if move.status not in Job.TERMINAL or is_database_lost(error):
            raise
        log.exception("job %s: its ending as %s cannot be recorded", job.job_id, move.reason)
    bare = {name: move.columns[name] for name in ("observed_at", "released_at") if name in move.columns}
    if move.status == Job.Status.CANCELLED:
        message = "Cancelled on request. What it had come to could not be recorded."
        told = Move(job, move.status, Job.Reason.CANCELLED, message, bare)
    else:
        message = "It has ended, but how could not be recorded, which is our fault; tell the operator."
        told = Move(job, Job.Status.FAILED, Job.Reason.RUNNER_ERROR, message, bare)
    return bool(recording.move_all([told], {job.pk: None}))


class Namespaces:
    """Which tenants' namespaces are going or gone; asked once per pass and only if some job's end is in doubt."""

    def __init__(self, this_pass: Pass) -> None:
        self._this_pass = this_pass
        self._states: dict[str, NamespaceState] | None = None
        self._known: dict[str, str] = {}

    def is_going(self, job: Job) -> bool:
        """Terminating, gone, or replaced by another namespace of the same name since we made ours."""
        if self._states is None:
            self._states = self._this_pass.gateway.namespaces()
            rows = TenantNamespace.objects.filter(cluster=self._this_pass.cluster.pk)
            self._known = dict(rows.values_list("namespace", "uid"))
        state = self._states.get(job.k8s_namespace)
        known = self._known.get(job.k8s_namespace)
        return state is None or state.terminating or bool(known and known != state.uid)


def confirm(this_pass: Pass) -> None:
    """Note for all jobs at once, every minute, that the cluster still says what their rows say."""
    if this_pass.memory.due("confirm", CONFIRM_EVERY_S):
        seen = Job.objects.active().filter(dispatched_at__isnull=False, cluster=this_pass.cluster.pk)
        unseen = [
            job.pk for job in this_pass.jobs if job.dispatched_at and not job.is_finished and not this_pass.current(job)
        ]
        seen.exclude(pk__in=unseen).update(observed_at=this_pass.now)
