"""What is said of a job on each of its pages, its tenant's and staff's: by one rule, and in one form."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simulations import result_manifest
from simulations.models import Artifact, Job
from simulations.sumo.protocol.report import ReportedProblem
from simulations.telling import Told, tell
from simulations.verdict import Verdict, arrivals, figures, verdict
from simulations.waiting import line_for
from tenants.errors import ApiError

QUALITY = "quality."  # how codes of doubts about a run's figures begin


@dataclass(frozen=True)
class Judgement:
    """`cautions`: why its figures are to be read with care; then its verdict is not green."""

    verdict: Verdict
    cautions: list[ReportedProblem]
    errors: list[ReportedProblem]


def findings(job: Job, artifacts: Sequence[Artifact]) -> dict[str, Any]:
    """One query for a job that waits in line. `artifacts`: of its present attempt."""
    line = line_for(job.tenant, [job])
    told = tell(job, line)
    found = judged(job, told, artifacts)
    headlines, rest = figures(job)
    names = {row.name for row in artifacts}
    return {
        "job": job,
        "told": told,
        "place": line.place(job) if line and job.is_queued else None,
        "verdict": found.verdict,
        "cautions": found.cautions,
        "arrivals": arrivals(job),
        "headlines": headlines,
        "figures": rest,
        "errors": found.errors,
        "has_summary": "summary.csv.gz" in names,
        "has_travel_times": "travel_times.json" in names,
    }


def judged(job: Job, told: Told, artifacts: Iterable[Artifact]) -> Judgement:
    """By its row, which has room for the first few problems, and by its manifest, while storage answers."""
    results: Mapping[str, Any] = job.results or {}
    try:
        manifest = next((result_manifest.read(each) for each in artifacts if each.name == result_manifest.NAME), None)
    except ApiError:
        manifest = None
    warnings, errors = (manifest["warnings"], manifest["errors"]) if manifest else ([], [])
    cautions = [problem for problem in warnings if problem["code"].startswith(QUALITY)]
    said = verdict(job, told, end=moment_of(job, "end"), doubtful=bool(cautions))
    return Judgement(said, cautions, errors or results.get("errors") or [])


def moment_of(job: Job, name: Literal["begin", "end"]) -> float | None:
    """When the simulation was to begin or end, in seconds: as asked, else as its configuration says."""
    if (asked := job.scenario_data.get(name)) is not None:
        return asked
    if job.scenario is None:
        return None
    config = job.scenario_data.get("config") or job.scenario.config
    found = (job.scenario.inspection.get("configs") or {}).get(config, {}).get(name)
    return found if isinstance(found, int | float) else None
