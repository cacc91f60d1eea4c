"""Any jobs as cells: grouped by what they ran or by one of their labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from simulations.models import Job
from simulations.studies.figures import Answer
from simulations.studies.kpis import DEFAULT_PRIMARY, FIGURES
from simulations.studies.statistics.study import CellRuns, Question, RunResult
from simulations.studies.statistics.summary import summarise

MOST_JOBS = 200
MOST_GROUPS = 20
BY_VERSION, BY_SCALE, LABEL = "version", "scale", "label:"


@dataclass(frozen=True)
class Picked:
    """`notes`: what was left out, and why. `answer` is None where there is nothing to look at."""

    answer: Answer | None
    ways: list[tuple[str, str]]
    by: str
    notes: list[str]


def job_ids(texts: Iterable[str]) -> list[UUID]:
    """From `jobs=a,b` or `jobs=a&jobs=b`; what is no id is passed over."""
    ids: dict[UUID, None] = {}
    for part in (part for text in texts for part in text.split(",")[: MOST_JOBS + 1]):
        try:
            ids[UUID(part.strip())] = None
        except ValueError:
            continue
        if len(ids) > MOST_JOBS:
            break
    return list(ids)


def compare_jobs(jobs: Sequence[Job], by: str, kpi: str) -> Picked:
    """`by`: one of the `ways`, else the first that tells the jobs apart."""
    ways = _ways(jobs)
    if by not in dict(ways):
        by = next((way for way, _ in ways if len({_group(job, way) for job in jobs}) > 1), BY_VERSION)
    ended = [job for job in jobs if job.is_finished]
    notes = [f"{len(jobs) - len(ended)} have not ended and are left out."] if len(ended) < len(jobs) else []
    cells, twice = _cells(ended, by)
    if twice:
        notes.append(f"{twice} ran a seed that a newer job of the same group ran too, and are left out.")
    if len(cells) > MOST_GROUPS:
        notes.append(f"{len(cells)} groups; the first {MOST_GROUPS} are shown.")
        cells = cells[:MOST_GROUPS]
    if not cells:
        return Picked(None, ways, by, notes)
    question = Question(primary=(kpi,) if kpi in FIGURES else DEFAULT_PRIMARY)
    summary = summarise(cells, list(FIGURES.values()), question)
    return Picked(Answer(cells, summary, question, {cell.name: _point(cell, by) for cell in cells}), ways, by, notes)


def _ways(jobs: Sequence[Job]) -> list[tuple[str, str]]:
    labels = sorted({name for job in jobs for name in job.labels})
    return [
        (BY_VERSION, "scenario and version"),
        (BY_SCALE, "scale of the demand"),
        *((LABEL + name, f"label {name}") for name in labels[:50]),
    ]


def _group(job: Job, by: str) -> str:
    asked = job.scenario_data
    if by == BY_SCALE:
        return f"scale={asked.get('scale') or 1:g}"
    if by.startswith(LABEL):
        return job.labels.get(by.removeprefix(LABEL)) or "(without)"
    return f"{asked.get('scenario_id', '')} v{asked.get('scenario_version', '')}"


def _cells(jobs: Sequence[Job], by: str) -> tuple[list[CellRuns], int]:
    """In the order of their oldest jobs, the first is the base; and how many jobs gave way to one of the same seed."""
    groups: dict[str, dict[int, Job]] = {}
    twice = 0
    for job in sorted(jobs, key=lambda job: (job.submitted_at, job.job_id)):
        seeds = groups.setdefault(_group(job, by), {})
        seed = int(job.scenario_data.get("seed") or 0)
        twice += seed in seeds
        seeds[seed] = job
    base = next(iter(groups), "")
    cells = []
    for name, by_seed in groups.items():
        asked = next(iter(by_seed.values())).scenario_data
        setting = {key: asked.get(key) for key in ("begin", "end", "step_length")} | {
            "scale": asked.get("scale") or 1.0
        }
        runs = tuple(_result(seed, job) for seed, job in sorted(by_seed.items()))
        variant = "these jobs" if by == BY_SCALE else name
        cells.append(CellRuns(name, variant, None if name == base else base, setting, runs))
    return cells, twice


def _result(seed: int, job: Job) -> RunResult:
    succeeded = job.status == Job.Status.SUCCEEDED
    results: Mapping[str, Any] = job.results or {}
    return RunResult(
        seed=seed,
        kpis=(results.get("kpis") or {}) if succeeded else {},
        succeeded=succeeded,
        why=job.reason,
        sumo_version=results.get("sumo_version") or None,
    )


def _point(cell: CellRuns, by: str) -> dict[str, float]:
    return {"scale": float(cell.setting["scale"])} if by == BY_SCALE else {}
