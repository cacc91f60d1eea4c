"""What is said of a job on each of its pages, its tenant's and staff's: by one rule, and in one form."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from simulations import result_manifest
from simulations.models import Artifact, Job
from simulations.sumo.protocol.report import ReportedProblem
from simulations.telling import Told, tell
from simulations.verdict import Verdict, arrivals, figures, verdict
from simulations.waiting import line_for
from tenants.errors import ApiError

QUALITY = "quality."  # how codes of doubts about a run's figures begin


def findings(job: Job, artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """One query for a job that waits in line. `artifacts`: of its present attempt."""
    line = line_for(job.tenant, [job])
    told = tell(job, line)
    found, cautions = judged(job, told, artifacts)
    headlines, rest = figures(job)
    names = {row.name for row in artifacts}
    results: Mapping[str, Any] = job.results or {}
    return {
        "job": job,
        "told": told,
        "place": line.place(job) if line and job.is_queued else None,
        "verdict": found,
        "cautions": cautions,
        "arrivals": arrivals(job),
        "headlines": headlines,
        "figures": rest,
        "errors": results.get("errors") or [],
        "has_summary": "summary.csv.gz" in names,
        "has_travel_times": "travel_times.json" in names,
    }


def judged(job: Job, told: Told, artifacts: Iterable[Artifact]) -> tuple[Verdict, list[ReportedProblem]]:
    """The verdict, and why its figures are to be read with care. `artifacts`: of its present attempt."""
    cautions = _cautions(artifacts)
    return verdict(job, told, end=moment_of(job, "end"), doubtful=bool(cautions)), cautions


def _cautions(artifacts: Iterable[Artifact]) -> list[ReportedProblem]:
    """Why the figures should be read with care, as the run's manifest tells; none while storage does not answer."""
    try:
        manifest = next((result_manifest.read(each) for each in artifacts if each.name == result_manifest.NAME), None)
    except ApiError:
        return []
    told = manifest["warnings"] if manifest else []
    return [problem for problem in told if problem["code"].startswith(QUALITY)]


def moment_of(job: Job, name: Literal["begin", "end"]) -> float | None:
    """When the simulation was to begin or end, in seconds: as asked, else as its configuration says."""
    if (asked := job.scenario_data.get(name)) is not None:
        return asked
    if job.scenario is None:
        return None
    config = job.scenario_data.get("config") or job.scenario.config
    found = (job.scenario.inspection.get("configs") or {}).get(config, {}).get(name)
    return found if isinstance(found, int | float) else None
