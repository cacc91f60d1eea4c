"""One job's page."""

from typing import Any

from django.utils import timezone

from clusterops.dashboard.maps import map_of
from simulations.findings import findings
from simulations.models import Job
from simulations.portal.offers import MORE_MEMORY_MAY_HELP
from simulations.request_facts import request_facts

SHOWN_APART = {"cpu_request", "memory_gi", "labels"}  # of the request: columns of their own


def job_state(job: Job) -> dict[str, Any]:
    """Two queries, three for a job that waits in line: the timeline and the result files, beside what its row says."""
    events = list(job.events.all())
    first = {"at": job.submitted_at, "status": Job.Status.PENDING, "reason": "SUBMITTED", "message": "", "attempt": 1}
    artifacts = [row for row in job.artifacts.all() if row.attempt == job.attempt]
    ends = job.finished_at or timezone.now()
    return findings(job, artifacts) | {
        "timeline": [first, *events],
        "artifacts": artifacts,
        "waited_s": ((job.started_at or ends) - job.submitted_at).total_seconds(),
        "ran_s": (ends - job.started_at).total_seconds() if job.started_at else None,
        "more_memory_may_help": job.status == Job.Status.FAILED and job.reason in MORE_MEMORY_MAY_HELP,
        "request_facts": request_facts(job.scenario_data, SHOWN_APART),
        "map": map_of(job, {row.name for row in artifacts}),
    }
