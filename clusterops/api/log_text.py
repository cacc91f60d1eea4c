"""A job's log for its page: what the tenant gets, and one sentence on where it comes from."""

from clusterops.api.logs import DEFAULT_LINES, log_of
from simulations.logs import LogView
from simulations.logtext import readable
from simulations.models import Job
from tenants.errors import ApiError


def log_view(job: Job) -> LogView:
    """Never raises: a cluster that does not answer is a sentence too."""
    try:
        found = log_of(job, DEFAULT_LINES)
    except ApiError as error:
        return LogView("", error.message)
    if found["source"] == "live":
        note = f"The last {DEFAULT_LINES} lines of {job.pod_name}."
    elif found["source"] == "stored":
        note = "The last lines, as stored."
    else:
        note = "No log was stored." if job.is_finished else f"No log yet. {found['message']}"
    return LogView(readable(found["logs"]), note)
