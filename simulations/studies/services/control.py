"""What a tenant may do with a study: pause, resume, cancel, retry, extend. Each may be repeated without harm."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from simulations.models import Job
from simulations.studies.limits import MAX_ACTIVE, MAX_SEEDS
from simulations.studies.models import Study, StudyRun
from simulations.studies.services.extension import add_seeds
from simulations.studies.services.submission import STARTED
from tenants.errors import ApiError
from tenants.models import Tenant

Status, Reason = Study.Status, Study.Reason


def pause(study: Study) -> None:
    """No further runs start; those that were started go on."""
    if study.status == Status.PAUSED:
        return
    _refuse_unless(study, {Status.RUNNING}, "paused")
    study.turn(Status.PAUSED, reason=Reason.PAUSED, message="Paused: what runs goes on, nothing new starts.")


def resume(study: Study) -> None:
    if study.status == Status.RUNNING:
        return
    _refuse_unless(study, {Status.PAUSED}, "resumed")
    study.turn(Status.RUNNING, reason=Reason.STARTED, message=STARTED)


def cancel(study: Study) -> None:
    """For good: what waits is dropped, what runs is ended; results that are there stay."""
    if study.status == Status.CANCELLED:
        return
    _refuse_unless(study, {Status.RUNNING, Status.PAUSED}, "cancelled")
    message = "Cancelled with its study, before it began."
    study.runs.filter(status=StudyRun.Status.PLANNED).update(
        status=StudyRun.Status.CANCELLED, reason=Job.Reason.CANCELLED, message=message
    )
    submitted = study.runs.filter(status=StudyRun.Status.SUBMITTED).values("job")
    Job.objects.filter(pk__in=submitted).request_cancel()
    study.turn(Status.CANCELLED, reason=Reason.CANCELLED, message="Cancelled on request; its results so far are kept.")


def retry(study: Study) -> int:
    """Run again what failed or was cancelled, with the same seeds, in the same rows; how many."""
    if study.status == Status.CANCELLED:
        raise _conflict("A cancelled study is not run again; submit it anew.")
    failed = study.runs.filter(status__in=[StudyRun.Status.FAILED, StudyRun.Status.CANCELLED])
    count = failed.update(
        status=StudyRun.Status.PLANNED, reason="", message="", job=None, wall_s=None, finished_at=None
    )
    if count and not study.is_active:
        _refuse_too_many(study)
        study.turn(Status.RUNNING, reason=Reason.STARTED, message=f"{count} failed runs are run again.")
    elif count:
        study.turn(study.status, reason=study.reason, message=study.message)
    return count


def extend(study: Study, *, seeds: int | None, seeds_total: int | None, idempotency_key: str | None = None) -> int:
    """More seeds in every cell; how many were added. A key used before, or a total that is reached, adds none."""
    if study.status == Status.CANCELLED:
        raise _conflict("A cancelled study is not extended; submit a new one.")
    if idempotency_key is not None and idempotency_key in study.extensions:
        return 0
    there = len(study.seeds)
    total = seeds_total if seeds_total is not None else there + (seeds or 0)
    if total <= there:
        return 0
    most = min(MAX_SEEDS, settings.STUDY_MAX_RUNS // study.cells.count())
    if total > most:
        raise ApiError(422, "study.too_many_seeds", f"{total} seeds in all; at most {most} are possible here.")
    if not study.is_active:
        _refuse_too_many(study)
    add_seeds(study, total - there)
    if idempotency_key is not None:
        study.extensions[idempotency_key] = total
    status = study.status if study.is_active else Status.RUNNING
    message = f"Extended to {total} seeds in every cell."
    reason = Reason.PAUSED if status == Status.PAUSED else Reason.STARTED
    study.turn(status, reason=reason, message=message, seeds=study.seeds, extensions=study.extensions)
    return total - there


@transaction.atomic
def change(tenant: Tenant, study_id: uuid.UUID, act: Callable[[Study], object]) -> Study:
    """The tenant's study after `act`, which runs under its lock. Raises ApiError 404 study.not_found, 409."""
    study = Study.objects.select_for_update().filter(tenant=tenant, pk=study_id).first()
    if study is None:
        raise ApiError(404, "study.not_found", "You have no such study.")
    act(study)
    return study


def _refuse_unless(study: Study, allowed: set[str], done: str) -> None:
    if study.status not in allowed:
        raise _conflict(f"The study is {study.status} and cannot be {done}.")


def _conflict(message: str) -> ApiError:
    return ApiError(409, "study.state", message)


def _refuse_too_many(study: Study) -> None:
    active = Study.objects.active().filter(tenant=study.tenant_id).count()
    if active >= MAX_ACTIVE:
        message = f"{active} studies have not ended; at most {MAX_ACTIVE} may. Cancel one or wait."
        raise ApiError(429, "studies.too_many", message, headers={"Retry-After": "60"})
