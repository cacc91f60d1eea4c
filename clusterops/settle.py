"""Each active job against what the cluster says of it: gather, decide, record, delete."""

from clusterops import decide as rules
from clusterops.capture import save_tail, stored_report
from clusterops.contract import Phase, Run, SpaceState
from clusterops.models import TenantNamespace
from clusterops.passing import Pass
from simulations.models import Job

CONFIRM_EVERY_S = 60
NEEDED = [
    *("job_id", "tenant_id", "k8s_job_name", "k8s_namespace", "status", "reason", "message", "attempt", "disruptions"),
    *("submitted_at", "dispatched_at", "started_at", "finished_at", "cancel_requested_at"),
    *("cpu_request", "memory_gi", "priority", "pod_name", "node_name", "exit_code"),
]


def active_jobs() -> list[Job]:
    """All jobs that have not ended, oldest first: one query, no wide columns beyond what decisions read."""
    return list(Job.objects.active().only(*NEEDED).order_by("submitted_at", "job_id"))


def settle(this: Pass) -> None:
    """One decision per active job, each behind its own wall."""
    namespaces = Namespaces(this)
    for job in this.jobs:
        with this.wall(f"job {job.job_id}"):
            _settle(this, job, namespaces)


def _settle(this: Pass, job: Job, namespaces: "Namespaces") -> None:
    for earlier in this.earlier(job):
        if earlier.job_exists and not earlier.deleting:
            this.counts.deleted += this.gateway.delete_run(earlier.namespace, earlier.name)
        if _may_still_run(earlier):
            this.blocked.add(job.pk)
    run = this.current(job)
    if run is None and job.pk in this.blocked and job.dispatched_at is None:
        return
    evidence = None
    if rules.needs_evidence(job, run):
        if run is None and this.gateway.run_exists(job.k8s_namespace, job.k8s_job_name):
            return  # made or relabelled since the lists were taken: the next pass sees it
        evidence = rules.Evidence(namespaces.is_going(job), stored_report(job))
    if run is not None and run.deleting and run.pod_name and job.cancel_requested_at:
        # Its last words come while it ends, and go with the pod.
        save_tail(this.gateway, job, run.pod_name, is_final=False)
    if decision := rules.decide(job, run, this.now, evidence):
        _carry_out(this, job, run, decision)


def _may_still_run(run: Run) -> bool:
    return run.phase not in (Phase.SUCCEEDED, Phase.FAILED) and run.reason != Job.Reason.NODE_LOST


def _carry_out(this: Pass, job: Job, run: Run | None, decision: rules.Decision) -> None:
    columns = {**decision.columns, "observed_at": this.now}
    attempt, ends = job.attempt, decision.status in Job.TERMINAL
    if ends and (run is None or not run.job_exists):
        columns["released_at"] = this.now  # nothing is left to let go
    if run is not None and run.pod_name and (decision.delete or (ends and not run.job_exists)):
        save_tail(this.gateway, job, run.pod_name, is_final=ends)  # the last chance to read it
    if not job.move_to(decision.status, reason=decision.reason, message=decision.message, **columns):
        return  # another writer was first: the next pass looks again
    this.counts.changed += 1
    if attempt != job.attempt:
        this.blocked.add(job.pk)
        this.more = True
    if decision.delete and run is not None:
        this.counts.deleted += this.gateway.delete_run(run.namespace, run.name)


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
