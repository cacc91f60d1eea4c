"""Results on their way from the pod to storage: each name once per attempt, within the job's and tenant's bounds.

Kubernetes may replace a pod that it evicted, within the same attempt. Until an attempt's manifest is stored, which
comes last, its other files may be those of a pod that was cut off: they give way to its replacement's. So do all of a
pod that had the time to store what it had and a manifest that says it was interrupted.
"""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone

from simulations import files, result_manifest
from simulations.models import Artifact, Job
from simulations.services import storage
from simulations.sumo.protocol.endings import Outcome
from tenants.errors import ApiError


@dataclass(frozen=True)
class AnnouncedFile:
    """A result that a runner announces: its name among the job's results, its bytes, its hash (hex)."""

    name: str
    size: int
    sha256: str

    def file_name(self, job: Job) -> str:
        """In the storage of the cluster that runs the job, which is not always its tenant's home any more."""
        return files.artifact_name(job.job_id, job.attempt, self.name, self.sha256, store=job.cluster.storage)


def expect_delivery(*, job: Job, delivery: AnnouncedFile) -> Artifact | None:
    """The artifact if it is there already, None if it may come. Raises ApiError: 409 artifact.exists, 413 where a bound
    of the job or the tenant is in the way. `deliver` asks again: others may be on their way too."""
    if found := _stored(job, delivery):
        return found
    _bound_job(job, delivery)
    storage.expect(job.tenant_id, "results", delivery.size)
    return None


def deliver(*, job: Job, delivery: AnnouncedFile) -> tuple[Artifact, bool]:
    """Record a result whose bytes are in storage: (artifact, whether it is new). Refused bytes do not stay there.

    Raises ApiError: 409 artifact.exists, 410 job.over, 413 results.job_limit, results.too_many, results.tenant_limit.
    """
    try:
        return _record(job, delivery)
    except ApiError:
        # A refusal holds for the same bytes sent twice at once as well: neither will be recorded.
        with suppress(ApiError):  # else `prune` finds it
            if not Artifact.objects.filter(file=delivery.file_name(job)).exists():
                files.delete(delivery.file_name(job))
        raise


@transaction.atomic
def _record(job: Job, delivery: AnnouncedFile) -> tuple[Artifact, bool]:
    if not Job.objects.run(job.job_id, job.attempt).select_for_update(no_key=True).values_list("pk").first():
        raise ApiError(410, "job.over", "This attempt of the job is over; nothing more is stored for it.")
    if found := _stored(job, delivery):
        return found, False
    _bound_job(job, delivery)
    replaced = Artifact.objects.filter(job=job, attempt=job.attempt, name=delivery.name).first()
    artifact, _ = Artifact.objects.update_or_create(
        job=job,
        attempt=job.attempt,
        name=delivery.name,
        defaults={
            "file": delivery.file_name(job),
            "size_bytes": delivery.size,
            "sha256": delivery.sha256,
            "uploaded_at": timezone.now(),
        },
    )
    storage.take(job.tenant_id, "results", delivery.size - (replaced.size_bytes if replaced else 0))
    if replaced:
        transaction.on_commit(partial(files.delete, str(replaced.file)))
    return artifact, True


def _stored(job: Job, delivery: AnnouncedFile) -> Artifact | None:
    """The artifact if these very bytes are stored. Raises ApiError 409 if others are, and final."""
    rows = {
        row.name: row
        for row in Artifact.objects.filter(job=job, attempt=job.attempt, name__in=[delivery.name, result_manifest.NAME])
    }
    found = rows.get(delivery.name)
    if found and (found.sha256, found.size_bytes) == (delivery.sha256, delivery.size):
        return found
    if found and result_manifest.NAME in rows and not _was_interrupted(rows[result_manifest.NAME]):
        raise ApiError(409, "artifact.exists", f"“{delivery.name}” is stored already, with other bytes.")
    return None


def _was_interrupted(manifest: Artifact) -> bool:
    told = result_manifest.read(manifest)
    return told is not None and told["report"]["outcome"] == Outcome.INTERRUPTED


def _bound_job(job: Job, delivery: AnnouncedFile) -> None:
    others = Artifact.objects.filter(job=job, attempt=job.attempt).exclude(name=delivery.name)
    stored = others.aggregate(total=Sum("size_bytes", default=0), files=Count("pk"))
    if stored["files"] >= settings.JOB_MAX_OUTPUT_FILES and delivery.name != result_manifest.NAME:
        message = f"A job may have at most {settings.JOB_MAX_OUTPUT_FILES} result files."
        raise ApiError(413, "results.too_many", message)
    if stored["total"] + delivery.size > settings.JOB_MAX_OUTPUT_BYTES:
        message = f"The job's results would exceed {settings.JOB_MAX_OUTPUT_BYTES} bytes."
        raise ApiError(413, "results.job_limit", message)
