"""What is deleted with time, or with its tenant. Rows go before files: a crash leaves a file too many, which the next
run finds, never a row without its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.core.files.storage import default_storage
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from simulations import files
from simulations.models import Artifact, Job, JobLog, Scenario
from simulations.services.curation import delete_version
from simulations.services.scenarios import delete_unused_file
from tenants.errors import ApiError
from tenants.models import Tenant

# A file is stored before its row is written; uploads take minutes at most.
ORPHAN_AFTER = timedelta(days=1)
BATCH = 500


@dataclass
class Removed:
    """How much was, or would be, removed."""

    results: int = 0
    result_bytes: int = 0
    logs: int = 0
    scenario_versions: int = 0
    orphaned_files: int = 0


def prune(*, before: datetime, dry_run: bool = False) -> Removed:
    """Remove result files and logs of jobs that ended, and superseded scenario versions uploaded, before that moment,
    and files that no row names. Jobs, their timelines and KPIs stay. Safe while everything runs, and to repeat."""
    removed = Removed()
    ended = Job.objects.filter(finished_at__lt=before)
    artifacts = Artifact.objects.filter(job__in=ended)
    removed.result_bytes = artifacts.aggregate(total=Sum("size_bytes"))["total"] or 0
    removed.results = artifacts.count() if dry_run else _delete_artifacts(artifacts)
    logs = JobLog.objects.filter(job__in=ended)
    removed.logs = logs.count() if dry_run else logs.delete()[0]
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
    removed = Removed(results=_delete_artifacts(Artifact.objects.filter(job__in=jobs)))
    removed.logs = JobLog.objects.filter(job__in=jobs).delete()[0]
    jobs.delete()
    names = {str(row.file) for row in scenarios.only("file")}
    removed.scenario_versions = scenarios.delete()[0]
    tenant.delete()
    for name in sorted(names):
        delete_unused_file(name)
    return removed


def _delete_artifacts(artifacts: QuerySet[Artifact]) -> int:
    deleted = 0
    while rows := list(artifacts.order_by("pk").only("pk", "file")[:BATCH]):
        Artifact.objects.filter(pk__in=[row.pk for row in rows]).delete()
        for row in rows:
            files.delete(str(row.file))
        deleted += len(rows)
    return deleted


def _superseded(before: datetime) -> QuerySet[Scenario]:
    """Versions that a newer one of the same name replaced, and no unfinished job needs."""
    newer = Scenario.objects.filter(scenario_id=OuterRef("scenario_id"), version__gt=OuterRef("version"))
    of_tenant = Exists(newer.filter(tenant=OuterRef("tenant")))
    shared = Q(Exists(newer.filter(tenant=None)), tenant=None)
    needed = Exists(Job.objects.active().filter(scenario=OuterRef("pk")))
    return Scenario.objects.filter(of_tenant | shared, ~needed, uploaded_at__lt=before).defer("inspection")


def _orphans() -> Iterator[str]:
    """Stored files that no row names and that are too old to be an upload under way."""
    for names in _batches(_stored("scenarios")):
        known = set(Scenario.objects.filter(file__in=names).values_list("file", flat=True))
        yield from (name for name in names if name not in known)
    for names in _batches(_stored("results")):
        known = set(Artifact.objects.filter(file__in=names).values_list("file", flat=True))
        yield from (name for name in names if name not in known)


def _batches(names: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(names, BATCH)):
        yield batch


def _stored(folder: str) -> Iterator[str]:
    """Files below `folder` that are old enough, whatever the storage."""
    try:
        folders, found = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in found:
        path = f"{folder}/{name}"
        try:
            if timezone.now() - default_storage.get_modified_time(path) > ORPHAN_AFTER:
                yield path
        except FileNotFoundError:  # deleted meanwhile
            continue
    for name in folders:
        yield from _stored(f"{folder}/{name}")


def _delete_orphan(name: str) -> None:
    if name.startswith("scenarios/"):
        delete_unused_file(name)
    elif not Artifact.objects.filter(file=name).exists():
        files.delete(name)
