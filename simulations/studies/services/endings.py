"""What came of a study's jobs, and of the study once all of them have ended."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from simulations.studies.limits import MAX_SEEDS
from simulations.studies.models import Study, StudyRun
from simulations.studies.precision import look
from simulations.studies.services.extension import add_seeds

# One statement, whatever their number. Figures count only where the run came to its proper end.
NOTE = """
UPDATE study_runs r SET status = j.status, reason = j.reason, message = j.message,
  kpis = CASE WHEN j.status = 'SUCCEEDED' THEN j.results->'kpis' END,
  sumo_version = coalesce(left(j.results->>'sumo_version', 40), ''),
  wall_s = extract(epoch FROM j.finished_at - j.started_at), finished_at = j.finished_at
FROM jobs j WHERE j.job_id = r.job_id AND r.status = 'SUBMITTED' AND j.status IN ('SUCCEEDED', 'FAILED', 'CANCELLED')
  AND j.cluster_id = %s
"""


def note_endings(now: datetime, cluster_id: int) -> None:
    """Copy what ended in that cluster. A run whose job vanished, which only an operator can do, is planned again."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [cluster_id])
    StudyRun.objects.filter(status=StudyRun.Status.SUBMITTED, job=None).update(status=StudyRun.Status.PLANNED)


def end_studies(isolate: Callable[[str], AbstractContextManager[Any]], cluster_id: int) -> None:
    """Each study that has nothing left to run either ends or, if it asked for a precision, goes on. Of the tenants
    whose home the cluster is."""
    left = StudyRun.objects.filter(
        study=OuterRef("pk"), status__in=[StudyRun.Status.PLANNED, StudyRun.Status.SUBMITTED]
    )
    done = Study.objects.filter(~Exists(left), status=Study.Status.RUNNING, tenant__cluster=cluster_id)
    for pk in done.values_list("pk", flat=True):
        with isolate(f"end of study {pk}"), transaction.atomic():
            if study := done.select_for_update(skip_locked=True).filter(pk=pk).first():
                _end(study)


def _end(study: Study) -> None:
    runs = list(study.runs.select_related("cell").only("status", "kpis", "cell__name"))
    if any(run.status not in StudyRun.ENDED for run in runs):
        return  # extended or retried since it was found
    failed = sum(run.status != StudyRun.Status.SUCCEEDED for run in runs)
    told = f"{len(runs) - failed} of {len(runs)} runs succeeded."
    if failed > study.request["max_failed_share"] * len(runs):
        message = f"{told} Too many failed for a verdict; see their reasons, mend what is wrong, and retry."
        study.turn(Study.Status.INCOMPLETE, reason=Study.Reason.TOO_MANY_FAILED, message=message)
        return
    asked = study.request["precision"]
    if asked is None:
        study.turn(Study.Status.COMPLETE, reason=Study.Reason.ALL_ENDED, message=told)
        return
    values: dict[str, list[float]] = {run.cell.name: [] for run in runs}
    for run in runs:
        value = (run.kpis or {}).get(asked["kpi"])
        if value is not None:
            values[run.cell.name].append(float(value))
    most = min(asked["max_seeds"], MAX_SEEDS, settings.STUDY_MAX_RUNS // len(values))
    outlook = look(asked, values, len(study.seeds), most)
    if outlook.more:
        add_seeds(study, outlook.more)
        study.turn(Study.Status.RUNNING, reason=Study.Reason.STARTED, message=outlook.sentence, seeds=study.seeds)
        return
    reason = Study.Reason.PRECISION_REACHED if outlook.reached else Study.Reason.PRECISION_NOT_REACHED
    study.turn(Study.Status.COMPLETE, reason=reason, message=f"{told} {outlook.sentence}")
