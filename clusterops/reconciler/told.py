"""Endings are recorded when watches tell of them: the lists of a large cluster take seconds.

A verdict is final, so it needs no look at anything else. Whatever is in doubt, begins again or is to be deleted is left
to the next pass, as is all that a broken watch did not tell.
"""

from uuid import UUID

from django.utils import timezone

from clusterops.contract import Phase, Run
from clusterops.policy import decide as rules
from clusterops.reconciler.job_states import Decided, load_figures, record_found
from clusterops.reconciler.pass_state import Pass, as_uuid, log
from clusterops.reconciler.recording import batches, name_of
from simulations.models import Job
from simulations.models.columns import FOR_DECISION


def record_told(this_pass: Pass, before: Pass | None = None) -> bool:
    """Whether any ended. `before`: another pass that goes on dispatching, and is to know of it."""
    runs = {pk: run for run in this_pass.gateway.ended_runs() if (pk := as_uuid(run.job_id))}
    ended: dict[UUID, Job] = {}
    for some in batches(list(runs)):
        this_pass.now = timezone.now()
        rows = Job.objects.in_hand().filter(pk__in=some, cluster=this_pass.cluster.pk).only(*FOR_DECISION)
        found = []
        for job in rows:
            if not this_pass.rests(name_of(job)):
                with this_pass.isolate(name_of(job), done=False):
                    if one := _plain_end(this_pass, job, runs[job.pk]):
                        found.append(one)
        record_found(this_pass, found)
        ended |= {each.job.pk: each.job for each in found if each.job.is_finished}
    if ended:
        log.info("ended beside a pass: %d", len(ended))
        this_pass.memory.ended += ended.values()
        for each in (this_pass, before):
            if each is not None:
                each.told |= ended.keys()
                each.jobs = [job for job in each.jobs if job.pk not in ended]
    return bool(ended)


def _plain_end(this_pass: Pass, job: Job, run: Run) -> Decided | None:
    named = (run.namespace, run.name) == (job.k8s_namespace, job.k8s_job_name)
    if not named or run.phase not in (Phase.SUCCEEDED, Phase.FAILED) or rules.needs_evidence(job, run):
        return None
    if run.phase is Phase.FAILED:
        load_figures(job)
    decision = rules.decide(job, run, this_pass.now)
    if decision is None or decision.status not in Job.TERMINAL or decision.delete:
        return None
    return Decided(job, run, decision)
