"""The pass's door to studies: what ended is noted, and runs that may start become jobs, before the dispatcher looks."""

from clusterops.reconciler.job_states import active_jobs
from clusterops.reconciler.pass_state import Pass
from simulations.studies.services.run_submission import submit_runs


def start_study_runs(this: Pass) -> None:
    if submit_runs(this.now, this.wall):
        known = {job.pk for job in this.jobs}
        this.jobs += [job for job in active_jobs() if job.pk not in known]
