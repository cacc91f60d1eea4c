"""The studies' part of a reconciler pass: endings are noted, studies end or go on, runs become jobs.

A run waits as a row of its study, so that five hundred of them fill no queue. It becomes a job when a slot that studies
may hold is free: nothing about studies is left to decide in the queue, where their jobs come after all single ones.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from simulations.models import Job
from simulations.services.acceptance import new_job
from simulations.studies.limits import study_slots
from simulations.studies.models import Study, StudyRun
from simulations.studies.services.endings import end_studies, note_endings
from simulations.studies.services.reuse import digest_of, finished_before
from simulations.studies.turns import Waiting, next_runs
from tenants.clusters import FIRST
from tenants.models import Tenant
from tenants.priority import PriorityClass

Isolate = Callable[[str], AbstractContextManager[Any]]
# Callers may ask for a priority from -100 to 100. Single jobs of the same class come first, but from two slots on one
# study job stands before them all: an endless stream of single jobs does not starve a study.
BEHIND_ALL, BEFORE_ALL = -1000, 1000
ONE_IS_SURE_FROM = 2  # slots
AT_ONCE = 500  # runs of one study in one pass
HELD = """
SELECT s.tenant_id, r.study_id, count(*),
  count(*) FILTER (WHERE j.status = 'RUNNING' OR j.dispatched_at IS NOT NULL OR j.priority >= %s),
  (array_agg(j.job_id ORDER BY j.submitted_at) FILTER (WHERE j.status = 'PENDING' AND j.dispatched_at IS NULL))[1]
FROM study_runs r JOIN studies s ON s.study_id = r.study_id JOIN jobs j ON j.job_id = r.job_id
WHERE r.status = 'SUBMITTED' GROUP BY s.tenant_id, r.study_id
"""
PLANNED = """
SELECT s.tenant_id, s.study_id, s.served_at, (s.request->>'max_parallel')::int, array_agg(p.id ORDER BY p.place)
FROM studies s JOIN tenants t ON t.tenant_id = s.tenant_id, LATERAL (
  SELECT id, place FROM study_runs WHERE study_id = s.study_id AND status = 'PLANNED' ORDER BY place LIMIT %s
) p
WHERE s.status = 'RUNNING' AND t.is_active AND NOT t.submissions_paused AND t.refused_because = ''
GROUP BY s.study_id
ORDER BY s.created_at, s.study_id
"""


def submit_runs(now: datetime, isolate: Isolate = nullcontext, cluster_id: int = FIRST) -> int:
    """Note what ended, end or extend studies, make jobs of the runs that may start; how many jobs were made. Of the
    tenants whose home the cluster is.

    Call it once per pass, before the dispatcher looks. `isolate(name)` surrounds what must not stop the rest.
    """
    if not Study.objects.active().exists() and not StudyRun.objects.filter(status=StudyRun.Status.SUBMITTED).exists():
        return 0
    with isolate("endings of studies' runs"):
        note_endings(now, cluster_id)
    end_studies(isolate, cluster_id)
    held = _held()
    waiting = _waiting(held)
    made = 0
    for tenant in Tenant.objects.filter(pk__in=waiting.keys() | held.keys(), cluster=cluster_id).order_by("pk"):
        with isolate(f"studies of tenant {tenant.pk}"):
            made += _submit_of(tenant, held[tenant.pk], waiting.get(tenant.pk, []), now)
    return made


class Held:
    """What a tenant's studies hold already."""

    def __init__(self) -> None:
        self.of_study: dict[uuid.UUID, int] = {}
        self.sure = 0  # run, or come before all single jobs
        self.oldest: uuid.UUID | None = None  # job that waits

    @property
    def slots(self) -> int:
        return sum(self.of_study.values())


def _held() -> dict[str, Held]:
    found: dict[str, Held] = defaultdict(Held)
    with connection.cursor() as cursor:
        cursor.execute(HELD, [BEFORE_ALL])
        for tenant_id, study_id, count, sure, oldest in cursor.fetchall():
            held = found[tenant_id]
            held.of_study[study_id] = count
            held.sure += sure
            held.oldest = held.oldest or oldest
    return found


def _waiting(held: dict[str, Held]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(PLANNED, [AT_ONCE])
        for tenant_id, study_id, served_at, max_parallel, planned in cursor.fetchall():
            active = held[tenant_id].of_study.get(study_id, 0)
            found[tenant_id].append(Waiting(study_id, served_at, active, max_parallel, planned))
    return found


def _submit_of(tenant: Tenant, held: Held, waiting: list[Waiting], now: datetime) -> int:
    free = study_slots(tenant.max_concurrent_jobs) - held.slots
    needs_sure_one = tenant.max_concurrent_jobs >= ONE_IS_SURE_FROM and held.sure == 0
    if needs_sure_one and held.oldest:
        first = {"priority_class": PriorityClass.HIGH.rank, "priority": BEFORE_ALL}
        Job.objects.queued().filter(pk=held.oldest).update(**first)
        needs_sure_one = False
    made = 0
    for _ in range(10):  # a run that was made before takes no slot: its turn goes to the next
        chosen = next_runs(waiting, free - made)
        if not chosen:
            break
        jobs, reused = _make_jobs(tenant, chosen, now, first_is_sure=needs_sure_one)
        made += jobs
        needs_sure_one = needs_sure_one and not jobs
        if not reused:
            break
        gone = {run for _, run in chosen}
        waiting = [
            _without(each, gone, jobs=sum(1 for study, _ in chosen if study == each.study_id)) for each in waiting
        ]
    return made


def _without(study: Waiting, gone: set[int], *, jobs: int) -> Waiting:
    """As it stands after that: counting a reused run as active is wrong for this pass only, and on the safe side."""
    planned = [run for run in study.planned if run not in gone]
    return Waiting(study.study_id, study.served_at, study.active + jobs, study.max_parallel, planned)


@transaction.atomic
def _make_jobs(
    tenant: Tenant, chosen: Iterable[tuple[uuid.UUID, int]], now: datetime, *, first_is_sure: bool
) -> tuple[int, int]:
    """(jobs made, runs that needed none). A study that is being changed at this moment waits for the next pass."""
    home = Tenant.objects.select_for_update(no_key=True).values_list("cluster_id", flat=True).get(pk=tenant.pk)
    if home != tenant.cluster_id:  # it has just been moved: its new home's reconciler goes on
        return 0, 0
    order = [run for _, run in chosen]
    locked = Study.objects.select_for_update(skip_locked=True).filter(
        pk__in={study for study, _ in chosen}, status=Study.Status.RUNNING
    )
    studies = {study.pk: study for study in locked.only("pk")}
    rows = StudyRun.objects.select_for_update(of=("self",)).select_related("cell")
    found = rows.filter(pk__in=order, study__in=studies, status=StudyRun.Status.PLANNED).in_bulk()
    runs = [found[pk] for pk in order if pk in found]
    requests = {run.pk: _request_of(run) for run in runs}
    for run in runs:
        run.digest = digest_of(requests[run.pk])
    before = finished_before(tenant.pk, {run.digest for run in runs})
    jobs: list[Job] = []
    reused = 0
    for run in runs:
        if earlier := before.get(run.digest):
            _take_over(run, earlier, now)
            reused += 1
        elif run.cell.scenario_id is None:
            run.status, run.reason, run.finished_at = StudyRun.Status.FAILED, Job.Reason.INVALID_SCENARIO, now
            run.message = "The scenario was deleted before it could run."
        else:
            job = new_job(tenant, run.cell.scenario_id, requests[run.pk])
            job.priority = BEHIND_ALL
            if first_is_sure and not jobs:
                job.priority_class, job.priority = PriorityClass.HIGH.rank, BEFORE_ALL
            job.submitted_at = now + timedelta(microseconds=len(jobs))
            jobs.append(job)
            run.job, run.status, run.tries = job, StudyRun.Status.SUBMITTED, run.tries + 1
            run.message = ""
    Job.objects.bulk_create(jobs)
    StudyRun.objects.bulk_update(runs, WRITTEN)
    Study.objects.filter(pk__in={run.study_id for run in runs}).update(served_at=now)
    return len(jobs), reused


WRITTEN = [
    *("status", "tries", "job", "digest", "reused", "reason", "message", "kpis", "sumo_version", "wall_s"),
    "finished_at",
]


def _request_of(run: StudyRun) -> dict[str, Any]:
    request = run.cell.request
    labels = {**request["labels"], "study.id": str(run.study_id), "study.cell": run.cell.name[:100]}
    return {**request, "seed": run.seed, "labels": labels}


def _take_over(run: StudyRun, earlier: StudyRun, now: datetime) -> None:
    run.status, run.reused, run.job_id = StudyRun.Status.SUCCEEDED, True, earlier.job_id
    run.reason, run.message = earlier.reason, "This very run had been made before; its results are used."
    run.kpis, run.sumo_version, run.wall_s, run.finished_at = earlier.kpis, earlier.sumo_version, earlier.wall_s, now
