"""Runners that cannot reach the control plane: it hears of them only through their logs."""

from clusterops.policy.sentences import sentence
from clusterops.readings.runner_log import unreachable
from simulations.models import Job, JobLog

Reason = Job.Reason


def heed(read: JobLog) -> None:
    """Let a running job say what its log, just read, says of that; and no longer, once it is over."""
    job, words = read.job, unreachable(read.text)
    if words:
        reason, message = Reason.SERVICE_UNREACHABLE, f"{words.rstrip('.')}. It keeps trying for some minutes."
    elif job.reason == Reason.SERVICE_UNREACHABLE:
        reason, message = Reason.RUNNING, sentence(Reason.RUNNING, job)
    else:
        return
    if job.status == Job.Status.RUNNING and (job.reason, job.message) != (reason, message):
        job.move_to(job.status, reason=reason, message=message)
