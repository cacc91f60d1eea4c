"""What is deleted with time, or with its tenant. Rows go before files: a crash leaves a file too many, which the next
run finds, never a row without its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, ProtectedError, Q, QuerySet, Sum
from django.utils import timezone

from simulations import files
from simulations.models import Artifact, Job, JobLog, Scenario
from simulations.services import storage
from simulations.services.curation import delete_version
from simulations.services.scenarios import delete_unused_file
from tenants.errors import ApiError
from tenants.models import Tenant

# A file is stored before its row is written; uploads take minutes at most.
ORPHAN_AFTER = timedelta(days=1)
BATCH = 500
# The reconciler still has to let their Kubernetes Jobs go.
UNRELEASED = Q(dispatched_at__isnull=False, released_at=None)


@dataclass
class Removed:
    """How much was, or would be, removed."""

    results: int = 0
    result_bytes: int = 0
    logs: int = 0
    jobs: int = 0
    scenario_versions: int = 0
    orphaned_files: int = 0


def prune(*, before: datetime, jobs_before: datetime | None = None, dry_run: bool = False) -> Removed:
    """Remove result files and logs of jobs that ended, and scenario versions that were superseded, before that moment,
    and files that no row names. Jobs with their timelines and KPIs stay, except those that ended before `jobs_before`.
    A few rows at a time: safe while everything runs, and to repeat."""
    removed = Removed()
    ended = Job.objects.filter(finished_at__lt=before)
    artifacts, logs = Artifact.objects.filter(job__in=ended), JobLog.objects.filter(job__in=ended)
    if dry_run:
        found = artifacts.aggregate(files=Count("pk"), bytes=Sum("size_bytes", default=0))
        removed.results, removed.result_bytes, removed.logs = found["files"], found["bytes"], logs.count()
    else:
        removed.results, removed.result_bytes = _delete_artifacts(artifacts)
        removed.logs = _delete_in_batches(logs)
    if jobs_before:
        gone = Job.objects.filter(finished_at__lt=jobs_before).exclude(UNRELEASED)
        removed.jobs = gone.count() if dry_run else _delete_jobs(gone)
    for scenario in _superseded(before):
        try:
            if not dry_run:
                delete_version(scenario=scenario)
            removed.scenario_versions += 1
        except (ApiError, Scenario.DoesNotExist):  # a job just took it, or someone else deleted it
            continue
    for name in _orphans():
        if not dry_run:
            _delete_orphan(name)
        removed.orphaned_files += 1
    return removed


def erase_tenant(*, tenant: Tenant) -> Removed:
    """Delete a tenant whose jobs have all ended, with everything of it. Raises ApiError 409 tenant.busy."""
    if count := Job.objects.active().filter(tenant=tenant).count():
        raise ApiError(409, "tenant.busy", f"{count} job(s) of {tenant} have not ended.")
    jobs, scenarios = Job.objects.filter(tenant=tenant), Scenario.objects.filter(tenant=tenant)
    removed = Removed()
    removed.results, removed.result_bytes = _delete_artifacts(Artifact.objects.filter(job__in=jobs))
    removed.logs = _delete_in_batches(JobLog.objects.filter(job__in=jobs))
    removed.jobs = _delete_jobs(jobs)
    names = {str(row.file) for row in scenarios.only("file")}
    try:
        removed.scenario_versions = scenarios.delete()[0]
    except ProtectedError as error:
        needing = ", ".join(sorted({str(row) for row in error.protected_objects})[:5])
        raise ApiError(409, "tenant.busy", f"Not all of {tenant} has ended: {needing}.") from None
    tenant.delete()
    for name in sorted(names):
        delete_unused_file(name)
    return removed


def _delete_artifacts(artifacts: QuerySet[Artifact]) -> tuple[int, int]:
    """(files, bytes)"""
    files_gone = bytes_gone = 0
    while names := _delete_some_artifacts(artifacts):
        for name, size in names.items():
            files.delete(name)
            bytes_gone += size
        files_gone += len(names)
    return files_gone, bytes_gone


@transaction.atomic
def _delete_some_artifacts(artifacts: QuerySet[Artifact]) -> dict[str, int]:
    """Name → bytes of a batch whose rows are gone, and counted no more."""
    locked = artifacts.order_by("pk").select_for_update(of=("self",))
    found = list(locked.values_list("pk", "file", "size_bytes", "job__tenant")[:BATCH])
    Artifact.objects.filter(pk__in=[pk for pk, *_ in found]).delete()
    of_tenant: dict[str, int] = {}
    for _, _, size, tenant in found:
        of_tenant[tenant] = of_tenant.get(tenant, 0) + size
    for tenant, size in sorted(of_tenant.items()):
        storage.take(tenant, "results", -size)
    return {name: size for _, name, size, _ in found}


def _delete_in_batches(rows: QuerySet[Any]) -> int:
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        deleted += len(keys)
        rows.model._default_manager.filter(pk__in=keys).delete()
    return deleted


def _delete_jobs(jobs: QuerySet[Job]) -> int:
    """With their timelines; what they left in storage first."""
    _delete_artifacts(Artifact.objects.filter(job__in=jobs))
    _delete_in_batches(JobLog.objects.filter(job__in=jobs))
    return _delete_in_batches(jobs)


def _superseded(before: datetime) -> QuerySet[Scenario]:
    """Versions that a newer one of the same name had replaced by then, and no unfinished job needs."""
    newer = Scenario.objects.filter(
        scenario_id=OuterRef("scenario_id"), version__gt=OuterRef("version"), uploaded_at__lt=before
    )
    of_tenant = Exists(newer.filter(tenant=OuterRef("tenant")))
    shared = Q(Exists(newer.filter(tenant=None)), tenant=None)
    needed = Exists(Job.objects.active().filter(scenario=OuterRef("pk")))
    return Scenario.objects.filter(of_tenant | shared, ~needed).defer("inspection")


def _orphans() -> Iterator[str]:
    """Stored files that no row names and that are too old to be an upload under way."""
    rows: list[tuple[str, Any]] = [("scenarios", Scenario), ("results", Artifact)]
    for store in files.stores():
        for folder, model in rows:
            for names in _batches(_stored(files.placed(store, folder))):
                known = set(model.objects.filter(file__in=names).values_list("file", flat=True))
                yield from (name for name in names if name not in known)


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, BATCH)):
        yield batch


def _stored(folder: str) -> Iterator[str]:
    """Files below `folder` that are old enough, whatever the storage."""
    folders, found = files.listdir(folder)
    for name in found:
        path = f"{folder}/{name}"
        try:
            if timezone.now() - files.modified(path) > ORPHAN_AFTER:
                yield path
        except FileNotFoundError:  # deleted meanwhile
            continue
    for name in folders:
        yield from _stored(f"{folder}/{name}")


def _delete_orphan(name: str) -> None:
    if name.partition("/")[0].endswith("scenarios"):
        delete_unused_file(name)
    elif not Artifact.objects.filter(file=name).exists():
        files.delete(name)
