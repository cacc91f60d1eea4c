"""Results on their way from the pod to storage: each name once per attempt, within the job's and tenant's bounds."""

from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from simulations import files
from simulations.models import Artifact, Job
from tenants.errors import ApiError


@dataclass(frozen=True)
class Delivery:
    """A result that a runner announces: its name among the job's results, its bytes, its hash (hex)."""

    name: str
    size: int
    sha256: str

    def file_name(self, job: Job) -> str:
        return files.artifact_name(job.job_id, job.attempt, self.name, self.sha256)


def expect_delivery(*, job: Job, delivery: Delivery) -> Artifact | None:
    """The artifact if it is there already, None if it may come. Raises ApiError: 409 artifact.exists, 413 too_large."""
    if found := Artifact.objects.filter(job=job, attempt=job.attempt, name=delivery.name).first():
        _same(found, delivery)
        return found
    _bound_job(job, delivery)
    # Not locked: several jobs that end at once may overshoot the tenant's bound by what they are delivering now.
    stored = Artifact.objects.filter(job__tenant=job.tenant_id).aggregate(total=Sum("size_bytes"))["total"] or 0
    if stored + delivery.size > settings.TENANT_MAX_RESULT_BYTES:
        message = f"The tenant's results would exceed {settings.TENANT_MAX_RESULT_BYTES} bytes."
        raise ApiError(413, "results.tenant_limit", message)
    return None


def deliver(*, job: Job, delivery: Delivery) -> tuple[Artifact, bool]:
    """Record a result whose bytes are in storage: (artifact, whether it is new). Raises ApiError: 409 artifact.exists,
    410 job.over, 413 results.job_limit."""
    with transaction.atomic():
        if not Job.objects.run(job.job_id, job.attempt).select_for_update(no_key=True).values_list("pk").first():
            raise ApiError(410, "job.over", "This attempt of the job is over; nothing more is stored for it.")
        if found := Artifact.objects.filter(job=job, attempt=job.attempt, name=delivery.name).first():
            _same(found, delivery)
            return found, False
        _bound_job(job, delivery)
        artifact = Artifact.objects.create(
            job=job,
            attempt=job.attempt,
            name=delivery.name,
            file=delivery.file_name(job),
            size_bytes=delivery.size,
            sha256=delivery.sha256,
        )
    return artifact, True


def _same(found: Artifact, delivery: Delivery) -> None:
    if (found.sha256, found.size_bytes) != (delivery.sha256, delivery.size):
        raise ApiError(409, "artifact.exists", f"“{delivery.name}” is stored already, with other bytes.")


def _bound_job(job: Job, delivery: Delivery) -> None:
    stored = Artifact.objects.filter(job=job, attempt=job.attempt).aggregate(total=Sum("size_bytes"))["total"] or 0
    if stored + delivery.size > settings.JOB_MAX_OUTPUT_BYTES:
        message = f"The job's results would exceed {settings.JOB_MAX_OUTPUT_BYTES} bytes."
        raise ApiError(413, "results.job_limit", message)
