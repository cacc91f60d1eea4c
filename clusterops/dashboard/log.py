"""A job's log for its page: live from the pod while it runs, the stored tail afterwards."""

from dataclasses import dataclass

from clusterops.dashboard.sight import TIMEOUT_S
from clusterops.errors import GatewayError
from clusterops.gateway import default_gateway
from simulations.models import Job, JobLog


@dataclass(frozen=True)
class LogView:
    """The text, and one sentence on where it comes from or why it is empty."""

    text: str
    note: str


def log_of(job: Job) -> LogView:
    """Never raises: a cluster that does not answer is a note above what was stored."""
    stored = JobLog.objects.filter(job=job).first()
    if job.is_finished or job.status == Job.Status.PENDING or not job.pod_name:
        if stored and stored.text:
            return LogView(stored.text, "The last lines, as stored.")
        return LogView("", "No log was stored." if job.is_finished else f"No log yet: {job.message}")
    try:
        text = default_gateway().read_log(job.k8s_namespace, job.pod_name, timeout_s=TIMEOUT_S)
    except GatewayError:
        text = stored.text if stored else ""
        return LogView(text, "The pod's log cannot be read now; what was stored is shown.")
    return LogView(text, f"The last 500 lines of {job.pod_name}.")
