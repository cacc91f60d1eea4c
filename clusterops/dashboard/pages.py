"""One job's page."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from clusterops.dashboard.maps import map_of
from simulations.models import Job
from simulations.portal.offers import MORE_MEMORY_MAY_HELP
from simulations.request_facts import request_facts
from simulations.sumo.protocol.kpis import KPIS
from simulations.telling import tell
from simulations.waiting import line_for

SHOWN_APART = {"cpu_request", "memory_gi", "labels"}  # of the request: columns of their own


def job_state(job: Job) -> dict[str, Any]:
    """Two queries, three for a job that waits in line: the timeline and the result files, beside what its row says."""
    events = list(job.events.all())
    first = {"at": job.submitted_at, "status": Job.Status.PENDING, "reason": "SUBMITTED", "message": "", "attempt": 1}
    artifacts = [row for row in job.artifacts.all() if row.attempt == job.attempt]
    results: Mapping[str, Any] = job.results or {}
    kpis = results.get("kpis") or {}
    ends = job.finished_at or timezone.now()
    return {
        "job": job,
        "told": tell(job, line_for(job.tenant, [job])),
        "timeline": [first, *events],
        "artifacts": artifacts,
        "kpis": [(kpi.title, kpi.text(kpis[kpi.name])) for kpi in KPIS.values() if kpis.get(kpi.name) is not None],
        "errors": results.get("errors") or [],
        "waited_s": ((job.started_at or ends) - job.submitted_at).total_seconds(),
        "ran_s": (ends - job.started_at).total_seconds() if job.started_at else None,
        "more_memory_may_help": job.status == Job.Status.FAILED and job.reason in MORE_MEMORY_MAY_HELP,
        "request_facts": request_facts(job.scenario_data, SHOWN_APART),
        "map": map_of(job, {row.name for row in artifacts}),
        "has_summary": any(row.name == "summary.csv.gz" for row in artifacts),
        "has_travel_times": any(row.name == "travel_times.json" for row in artifacts),
    }
