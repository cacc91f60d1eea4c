"""Studies, their cells and their runs. A run is a row of its study; it becomes a job when it may start."""

import uuid
from typing import Any, ClassVar

from django.db import models, transaction
from django.db.models.deletion import Collector
from django.utils import timezone

from simulations.models import Job, Notice, Scenario
from tenants.models import Tenant


class StudyQuerySet(models.QuerySet["Study"]):
    def active(self) -> "StudyQuerySet":
        """Studies that may still start runs."""
        return self.filter(status__in=Study.ACTIVE)


class Study(models.Model):
    """Many runs of a few cells over common seeds."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING"
        PAUSED = "PAUSED"
        COMPLETE = "COMPLETE"
        INCOMPLETE = "INCOMPLETE"
        CANCELLED = "CANCELLED"

    class Reason(models.TextChoices):
        STARTED = "STARTED"
        PAUSED = "PAUSED"
        ALL_ENDED = "ALL_ENDED"
        PRECISION_REACHED = "PRECISION_REACHED"
        PRECISION_NOT_REACHED = "PRECISION_NOT_REACHED"
        TOO_MANY_FAILED = "TOO_MANY_FAILED"
        CANCELLED = "CANCELLED"

    ACTIVE: ClassVar = (Status.RUNNING, Status.PAUSED)

    study_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="studies", db_index=False)
    name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    reason = models.CharField(max_length=24, default=Reason.STARTED)  # a `Reason`
    message = models.TextField(blank=True)
    request = models.JSONField(help_text="As accepted, with defaults; its cells hold what is run.")
    seeds = models.JSONField(help_text="In the order in which they are run; the same in every cell.")
    extensions = models.JSONField(
        default=dict, blank=True, help_text="Seeds there were after each extension, by its Idempotency-Key."
    )
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True, help_text="When a run of it was last made a job.")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    request_sha256 = models.CharField(max_length=64, blank=True)

    objects: ClassVar = StudyQuerySet.as_manager()

    class Meta:
        db_table = "studies"
        verbose_name_plural = "studies"
        ordering = ["-created_at", "-study_id"]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "-study_id"], name="studies_tenant_newest"),
            models.Index(
                fields=["tenant"], name="studies_active", condition=models.Q(status__in=["RUNNING", "PAUSED"])
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "idempotency_key"], name="studies_unique_idempotency_key"),
            models.CheckConstraint(
                condition=models.Q(status__in=["RUNNING", "PAUSED"], finished_at__isnull=True)
                | models.Q(status__in=["COMPLETE", "INCOMPLETE", "CANCELLED"], finished_at__isnull=False),
                name="studies_finished_iff_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"study {self.name or self.study_id}"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    def turn(self, status: str, *, reason: str, message: str, **columns: Any) -> None:
        """Write a new status, and with an end its notice; the caller holds the row's lock. Writing it rings the
        reconciler's doorbell."""
        was_finished_at = self.finished_at
        finished_at = None if status in self.ACTIVE else (self.finished_at or timezone.now())
        columns |= {"status": status, "reason": reason, "message": message, "finished_at": finished_at}
        for name, value in columns.items():
            setattr(self, name, value)
        with transaction.atomic():
            self.save(update_fields=list(columns))
            if status not in self.ACTIVE and self.finished_at != was_finished_at:
                data = {"study_id": str(self.pk), "status": str(status), "reason": str(reason)}
                Notice.objects.create(tenant_id=self.tenant_id, kind=Notice.Kind.STUDY_ENDED, data=data)


def keep_for_active_studies(collector: Collector, field: Any, sub_objs: Any, using: str) -> None:
    """On deletion of a scenario: an active study still needs it; others keep what they know of it."""
    needing = {cell.study for cell in sub_objs if cell.study.is_active}
    if needing:
        raise models.ProtectedError("Studies that have not ended use it.", needing)
    models.SET_NULL(collector, field, sub_objs, using)


class Cell(models.Model):
    """One variant at one point of the sweep."""

    study = models.ForeignKey(Study, models.CASCADE, related_name="cells", db_index=False)
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=300)
    variant = models.CharField(max_length=60)
    point = models.JSONField(default=dict, help_text="The sweep's values here.")
    against = models.PositiveSmallIntegerField(null=True, help_text="Position of the cell that it is compared with.")
    request = models.JSONField(help_text="What each run asks for, but the seed.")
    setting = models.JSONField(default=dict, help_text="Begin, end, step length and scale as they take effect.")
    scenario = models.ForeignKey(Scenario, keep_for_active_studies, null=True, related_name="study_cells")

    class Meta:
        db_table = "study_cells"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["study", "position"], name="study_cells_unique_position")]

    def __str__(self) -> str:
        return self.name


class StudyRun(models.Model):
    """One seed of one cell. What came of its job is copied here: it outlives the job."""

    class Status(models.TextChoices):
        PLANNED = "PLANNED"
        SUBMITTED = "SUBMITTED"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    ENDED: ClassVar = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)

    study = models.ForeignKey(Study, models.CASCADE, related_name="runs", db_index=False)
    cell = models.ForeignKey(Cell, models.CASCADE, related_name="runs", db_index=False)
    seed = models.BigIntegerField()
    place = models.PositiveIntegerField(help_text="In the study's order: all cells of a seed, then the next seed.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLANNED)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Jobs that were made for it.")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="study_runs")
    digest = models.CharField(max_length=64, blank=True, help_text="Of what it ran; see `services.reuse`.")
    reused = models.BooleanField(default=False, help_text="Another run had done exactly this; its results are used.")
    reason = models.CharField(max_length=24, blank=True)
    message = models.TextField(blank=True)
    kpis = models.JSONField(null=True, blank=True)
    sumo_version = models.CharField(max_length=40, blank=True)
    wall_s = models.FloatField(null=True, blank=True, help_text="Seconds from the job's start to its end.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "study_runs"
        ordering = ["place"]
        indexes = [
            models.Index(fields=["study", "place"], name="study_runs_planned", condition=models.Q(status="PLANNED")),
            models.Index(fields=["study"], name="study_runs_submitted", condition=models.Q(status="SUBMITTED")),
            models.Index(
                fields=["digest"], name="study_runs_digest", condition=models.Q(status="SUCCEEDED", reused=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["study", "place"], name="study_runs_unique_place"),
            models.UniqueConstraint(fields=["cell", "seed"], name="study_runs_unique_seed"),
        ]

    def __str__(self) -> str:
        return f"{self.cell_id} seed {self.seed}"
