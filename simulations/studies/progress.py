"""How far a study is, for people and programs."""

from typing import Any

from django.db import connection

from simulations.models import Job
from simulations.studies.models import Study
from simulations.studies.services.estimate import parallel

MAX_FAILURES = 20
COUNTS = """
SELECT r.cell_id, r.status,
  coalesce(j.status = 'PENDING' OR j.dispatched_at IS NULL OR j.reason = ANY(%s), false) AS waits,
  count(*), count(*) FILTER (WHERE r.status = 'SUCCEEDED' AND coalesce(r.kpis, '{}') = '{}'),
  avg(r.wall_s) FILTER (WHERE r.status = 'SUCCEEDED' AND NOT r.reused), count(*) FILTER (WHERE r.reused)
FROM study_runs r LEFT JOIN jobs j ON j.job_id = r.job_id AND r.status = 'SUBMITTED'
WHERE r.study_id = %s GROUP BY 1, 2, 3
"""
PAIRED = """
SELECT count(*) FROM (
  SELECT seed FROM study_runs WHERE study_id = %s AND status = 'SUCCEEDED' GROUP BY seed HAVING count(*) = %s
) complete
"""
FAILURES = """
SELECT r.reason, c.name, count(*), min(r.message), min(r.seed)
FROM study_runs r JOIN study_cells c ON c.id = r.cell_id
WHERE r.study_id = %s AND r.status IN ('FAILED', 'CANCELLED')
GROUP BY r.reason, c.name, c.position ORDER BY count(*) DESC, c.position, r.reason LIMIT %s
"""


def progress_of(study: Study) -> dict[str, Any]:
    """Four statements; `study.tenant` must be loaded."""
    cells = list(study.cells.all())
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [list(Job.WAITING), study.pk])
        counts = cursor.fetchall()
        cursor.execute(PAIRED, [study.pk, len(cells)])
        [paired] = cursor.fetchone()
        cursor.execute(FAILURES, [study.pk, MAX_FAILURES])
        failures = cursor.fetchall()
    runs = dict.fromkeys(("planned", "queued", "running", "succeeded", "failed", "excluded", "cancelled", "reused"), 0)
    of_cell = {cell.pk: {"done": 0, "failed": 0, "runs": 0} for cell in cells}
    walls: list[tuple[float, int]] = []
    for cell_id, status, waits, count, empty, wall_s, reused in counts:
        runs[_name(status, waits)] += count
        runs["reused"] += reused
        runs["excluded"] += empty + (count if status in ("FAILED", "CANCELLED") else 0)
        of_cell[cell_id]["runs"] += count
        of_cell[cell_id]["done"] += count if status == "SUCCEEDED" else 0
        of_cell[cell_id]["failed"] += count if status in ("FAILED", "CANCELLED") else 0
        if wall_s is not None:
            walls.append((float(wall_s), count))
    return {
        "runs": runs | {"total": sum(each["runs"] for each in of_cell.values())},
        "cells": [
            {"cell": cell.name, "variant": cell.variant, "point": cell.point, **of_cell[cell.pk]} for cell in cells
        ],
        "failures": [
            {"reason": reason, "cell": name, "count": count, "message": message, "first_seed": seed}
            for reason, name, count, message, seed in failures
        ],
        "paired_seeds_complete": paired,
        "eta_s": _eta(study, runs, walls),
    }


def _name(status: str, waits: bool) -> str:
    if status == "SUBMITTED":
        return "queued" if waits else "running"
    return status.lower()


def _eta(study: Study, runs: dict[str, int], walls: list[tuple[float, int]]) -> float | None:
    """Seconds until what is planned now has ended, if as many run at once as may; None while nothing is known."""
    if study.status != Study.Status.RUNNING or not walls:
        return None if study.is_active else 0.0
    mean_s = sum(wall_s * count for wall_s, count in walls) / sum(count for _, count in walls)
    left = runs["planned"] + runs["queued"] + runs["running"] / 2  # those that run are half-way on average
    return round(left * mean_s / max(1, parallel(study.tenant, study.request["max_parallel"])), 1)
