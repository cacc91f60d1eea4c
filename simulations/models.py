"""What is wanted (scenarios, jobs) and what came of it (events, logs, artifacts)."""

import uuid
from typing import Any, ClassVar

from django.db import models, transaction
from django.utils import timezone

from tenants.models import Tenant


class Scenario(models.Model):
    """One immutable version of a tenant's scenario, or of a shared one (`tenant` null). Equal bytes are stored once."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="scenarios")
    scenario_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    file = models.FileField(max_length=200)
    size_bytes = models.BigIntegerField()
    config = models.CharField(max_length=500, help_text="Path of the .sumocfg inside the archive.")
    inspection = models.JSONField(default=dict, help_text="What the upload check found inside.")
    uploaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "scenarios"
        ordering = ["-uploaded_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scenario_id", "version"], nulls_distinct=False, name="scenarios_unique_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scenario_id} v{self.version}"


class JobQuerySet(models.QuerySet["Job"]):
    def active(self) -> "JobQuerySet":
        """Jobs that have not ended."""
        return self.filter(status__in=Job.ACTIVE)


class Job(models.Model):
    """One simulation run. The reconciler alone writes status, reason and times; the API writes wishes and progress."""

    class Status(models.TextChoices):
        PENDING = "PENDING"
        RUNNING = "RUNNING"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    class Reason(models.TextChoices):
        """Fine-grained, for people; `status` alone drives logic."""

        QUEUED = "QUEUED"
        STARTING = "STARTING"
        WAITING_FOR_NODE = "WAITING_FOR_NODE"
        WAITING_QUOTA = "WAITING_QUOTA"
        RUNNING = "RUNNING"
        FINISHING = "FINISHING"
        CANCELLING = "CANCELLING"
        COMPLETED = "COMPLETED"
        SUMO_FAILED = "SUMO_FAILED"
        INVALID_JOB = "INVALID_JOB"
        INVALID_SCENARIO = "INVALID_SCENARIO"
        TOO_MANY_TELEPORTS = "TOO_MANY_TELEPORTS"
        OUTPUT_LIMIT = "OUTPUT_LIMIT"
        SUMO_CRASHED = "SUMO_CRASHED"
        OUT_OF_MEMORY = "OUT_OF_MEMORY"
        TIME_LIMIT = "TIME_LIMIT"
        RESULTS_NOT_STORED = "RESULTS_NOT_STORED"
        RUNNER_ERROR = "RUNNER_ERROR"
        INTERRUPTED = "INTERRUPTED"
        EVICTED_DISK = "EVICTED_DISK"
        PREEMPTED = "PREEMPTED"
        NODE_LOST = "NODE_LOST"
        IMAGE_ERROR = "IMAGE_ERROR"
        CONFIG_ERROR = "CONFIG_ERROR"
        ADMISSION_REFUSED = "ADMISSION_REFUSED"
        START_TIMEOUT = "START_TIMEOUT"
        DELETED_EXTERNALLY = "DELETED_EXTERNALLY"
        NAMESPACE_TERMINATING = "NAMESPACE_TERMINATING"
        KILLED = "KILLED"
        LOST = "LOST"
        CANCELLED = "CANCELLED"

    ACTIVE: ClassVar = (Status.PENDING, Status.RUNNING)
    TERMINAL: ClassVar = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.PENDING: frozenset({Status.RUNNING, *TERMINAL}),
        Status.RUNNING: frozenset(TERMINAL),
    }

    job_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="jobs")
    k8s_job_name = models.CharField(max_length=63)
    k8s_namespace = models.CharField(max_length=63)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(max_length=24, choices=Reason.choices, default=Reason.QUEUED)
    message = models.TextField(default="Waiting for a free slot.")
    submitted_at = models.DateTimeField(default=timezone.now)
    dispatched_at = models.DateTimeField(
        null=True, blank=True, help_text="When this attempt's Kubernetes Job was made."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True, help_text="When the cluster last confirmed this state.")
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="When the Kubernetes Job was given its short TTL."
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    scenario = models.ForeignKey(Scenario, models.SET_NULL, null=True, blank=True, related_name="jobs")
    scenario_data = models.JSONField(default=dict, help_text="The whole request as accepted, with defaults and seed.")
    cpu_request = models.PositiveIntegerField(default=1)
    memory_gi = models.PositiveIntegerField(default=1)
    priority = models.SmallIntegerField(default=0, help_text="Higher runs first within the tenant.")
    labels = models.JSONField(default=dict, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    request_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the body, to compare idempotent repeats."
    )
    admitted_as = models.PositiveIntegerField(default=1, help_text="Which of the tenant's active jobs it was, from 1.")
    admission_limit = models.PositiveIntegerField(default=1, help_text="How many active jobs were allowed then.")
    results = models.JSONField(null=True, blank=True, help_text="Outcome, KPIs and warnings from the runner's report.")
    exit_code = models.SmallIntegerField(null=True, blank=True)
    pod_name = models.CharField(max_length=253, blank=True)
    node_name = models.CharField(max_length=253, blank=True)
    # Written by the API alone:
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    progress = models.JSONField(null=True, blank=True)
    progress_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = JobQuerySet.as_manager()

    class Meta:
        db_table = "jobs"
        ordering = ["-submitted_at", "-job_id"]
        indexes = [
            models.Index(fields=["tenant", "-submitted_at", "-job_id"], name="jobs_tenant_newest"),
            models.Index(fields=["-submitted_at", "-job_id"], name="jobs_newest"),
            models.Index(fields=["tenant", "status"], name="jobs_tenant_status"),
            models.Index(
                fields=["submitted_at"], name="jobs_active", condition=models.Q(status__in=["PENDING", "RUNNING"])
            ),
            models.Index(
                fields=["finished_at"],
                name="jobs_unreleased",
                condition=models.Q(finished_at__isnull=False, dispatched_at__isnull=False, released_at__isnull=True),
            ),
            models.Index(fields=["-finished_at"], name="jobs_finished"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status__in=["PENDING", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]),
                name="jobs_known_status",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=["PENDING", "RUNNING"], finished_at__isnull=True)
                | models.Q(status__in=["SUCCEEDED", "FAILED", "CANCELLED"], finished_at__isnull=False),
                name="jobs_finished_iff_terminal",
            ),
            # Counted under the tenant's row lock in the INSERT itself; see `services.submit_job`.
            models.CheckConstraint(
                condition=models.Q(admitted_as__lte=models.F("admission_limit")), name="jobs_admitted"
            ),
            models.UniqueConstraint(fields=["tenant", "idempotency_key"], name="jobs_unique_idempotency_key"),
            models.UniqueConstraint(fields=["k8s_namespace", "k8s_job_name"], name="jobs_unique_k8s_name"),
        ]

    def __str__(self) -> str:
        return str(self.job_id)

    @property
    def is_finished(self) -> bool:
        return self.status in self.TERMINAL

    def name_of_attempt(self, attempt: int) -> str:
        """The Kubernetes Job's name: at most 63 bytes, since Kubernetes copies it into a label."""
        name = f"sim-{self.job_id.hex}"
        return name if attempt == 1 else f"{name}-{attempt}"

    def move_to(self, status: str, *, reason: str, message: str, **columns: Any) -> bool:
        """Compare-and-swap to `status` with its event in one transaction; False if another writer was first.

        Staying in the same status with another reason or message is a move too (an event is written when the reason
        changes). `columns` are written along. Raises ValueError for a move the table does not allow.
        """
        if status != self.status and status not in self.MOVES.get(self.status, frozenset()):
            raise ValueError(f"{self.status} → {status} is not a move a job can make")
        if status == self.status and self.is_finished:
            raise ValueError(f"{self.status} is final")
        columns |= {"status": status, "reason": reason, "message": message}
        if status in self.TERMINAL:
            columns.setdefault("finished_at", timezone.now())
        elif status == self.Status.RUNNING and self.started_at is None:
            columns.setdefault("started_at", timezone.now())
        says_something_new = (status, reason) != (self.status, self.reason)
        with transaction.atomic():
            if not Job.objects.filter(pk=self.pk, status=self.status, attempt=self.attempt).update(**columns):
                return False
            if says_something_new:
                JobEvent.objects.create(
                    job=self,
                    status=status,
                    reason=reason,
                    message=message,
                    attempt=columns.get("attempt", self.attempt),
                )
        for name, value in columns.items():
            setattr(self, name, value)
        return True


class JobEvent(models.Model):
    """One line of a job's timeline. The first line, its submission, is the job's own `submitted_at`."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    status = models.CharField(max_length=10)
    reason = models.CharField(max_length=24)
    message = models.TextField()
    attempt = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "job_events"
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.reason}"


class JobLog(models.Model):
    """The tail of a job's log, kept apart so that lists of jobs stay narrow."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="log")
    text = models.TextField()
    captured_at = models.DateTimeField(default=timezone.now)
    is_final = models.BooleanField(default=False, help_text="Captured after the run's end.")

    class Meta:
        db_table = "job_logs"


class Artifact(models.Model):
    """A result file: written at most once per job, attempt and name."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="artifacts")
    attempt = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255)
    file = models.FileField(max_length=400)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "artifacts"
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["job", "attempt", "name"], name="artifacts_unique_name")]

    def __str__(self) -> str:
        return self.name
