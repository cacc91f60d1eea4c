"""One simulation of a scenario, and every move it may make."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models, transaction
from django.db.models.fields.json import KT
from django.utils import timezone

from simulations.models.job_queries import JobQuerySet
from simulations.models.json_columns import AcceptedRequest, Progress
from simulations.models.notice import Notice
from simulations.models.scenario import Scenario
from simulations.sumo.protocol.endings import WAITING, Reason
from simulations.sumo.protocol.report import RunReport
from tenants.clusters import FIRST, Cluster
from tenants.models import Tenant
from tenants.priority import PriorityClass

if TYPE_CHECKING:
    from simulations.models.outcome import JobEvent


class Job(models.Model):
    """One simulation that a tenant asked for.

    The reconciler alone writes status, reason and times; the API writes wishes and progress.
    """

    class Status(models.TextChoices):
        PENDING = "PENDING"
        RUNNING = "RUNNING"
        SUCCEEDED = "SUCCEEDED"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    Reason = Reason  # see the table of endings

    UNEXPLAINED: ClassVar = "Waiting for a free slot."  # no pass has said more yet
    ACTIVE: ClassVar = (Status.PENDING, Status.RUNNING)
    # While a pod is not there yet or cannot start. A job that begins again keeps its status RUNNING, and waits all the
    # same.
    WAITING: ClassVar = WAITING
    TERMINAL: ClassVar = (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.PENDING: frozenset({Status.RUNNING, *TERMINAL}),
        Status.RUNNING: frozenset(TERMINAL),
    }

    job_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Its own index would be one more to write at every submission: two below begin with the tenant.
    tenant = models.ForeignKey(Tenant, models.PROTECT, related_name="jobs", db_index=False)
    # No constraint of the database: it would lock the one row that all submissions share.
    cluster = models.ForeignKey(
        Cluster,
        models.PROTECT,
        default=FIRST,
        db_default=models.Value(FIRST),
        related_name="jobs",
        db_index=False,
        db_constraint=False,
        help_text="Where it is to run: its tenant's home when it was submitted, or moved to before it began.",
    )
    k8s_job_name = models.CharField(max_length=63)
    k8s_namespace = models.CharField(max_length=63)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(
        max_length=24,
        default=Reason.QUEUED.value,
        help_text="Of the table of endings. No choices of the column, so that a new one needs no migration.",
    )
    message = models.TextField(default=UNEXPLAINED)
    submitted_at = models.DateTimeField(default=timezone.now)
    dispatched_at = models.DateTimeField(
        null=True, blank=True, help_text="When this attempt's Kubernetes Job was made."
    )
    dispatching_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it was first about to be made in the cluster; null: nothing of it is there.",
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True, help_text="When the cluster last confirmed this state.")
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="When the Kubernetes Job was given its short TTL."
    )
    attempt = models.PositiveSmallIntegerField(default=1)
    disruptions = models.PositiveSmallIntegerField(
        default=0, help_text="How often the cluster took the attempt's pod away and replaced it."
    )
    scenario = models.ForeignKey(Scenario, models.SET_NULL, null=True, blank=True, related_name="jobs")
    scenario_data: "models.JSONField[AcceptedRequest, AcceptedRequest]" = models.JSONField(
        default=dict, help_text="The whole request as accepted, with defaults and seed."
    )
    cpu_request = models.PositiveIntegerField(default=1)
    memory_gi = models.PositiveIntegerField(default=1)
    priority_class = models.SmallIntegerField(
        default=PriorityClass.NORMAL.rank,
        choices=[(each.rank, each.label) for each in PriorityClass],
        help_text="Comes before `priority`; a low one counts half against the tenant's share.",
    )
    priority = models.SmallIntegerField(default=0, help_text="Higher runs first within the class.")
    labels = models.JSONField(default=dict, blank=True)
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)
    request_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of the request with its defaults, to compare idempotent repeats."
    )
    admitted_as = models.PositiveIntegerField(default=1, help_text="Which of the tenant's active jobs it was, from 1.")
    admission_limit = models.PositiveIntegerField(default=1, help_text="How many active jobs were allowed then.")
    results: "models.JSONField[RunReport | None, RunReport | None]" = models.JSONField(
        null=True, blank=True, help_text="Outcome, KPIs and warnings from the runner's report."
    )
    exit_code = models.SmallIntegerField(null=True, blank=True)
    pod_name = models.CharField(max_length=253, blank=True)
    node_name = models.CharField(max_length=253, blank=True)
    # Written by the API alone:
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    progress: "models.JSONField[Progress | None, Progress | None]" = models.JSONField(null=True, blank=True)
    progress_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar = JobQuerySet.as_manager()

    class Meta:
        db_table = "jobs"
        ordering = ["-submitted_at", "-job_id"]
        permissions = [("cancel_job", "Can cancel jobs"), ("rerun_job", "Can run jobs again")]
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
            # The two that most jobs have are found without; see `JobQuerySet.because`.
            models.Index(
                fields=["reason", "-submitted_at", "-job_id"],
                name="jobs_reason",
                condition=~models.Q(reason__in=["QUEUED", "COMPLETED"]),
            ),
            models.Index(
                fields=["tenant", "-finished_at", "-job_id"],
                name="jobs_tenant_ended",
                condition=models.Q(finished_at__isnull=False),
            ),
            # The line as the dispatcher orders it; see `waiting.ORDER`.
            models.Index(
                fields=["tenant", "-priority_class", "-priority", "submitted_at", "job_id"],
                name="jobs_line",
                condition=models.Q(status="PENDING", dispatched_at__isnull=True),
            ),
            models.Index(
                fields=["tenant"],
                include=["cpu_request", "memory_gi"],
                name="jobs_started",
                condition=models.Q(status="RUNNING") | models.Q(status="PENDING", dispatched_at__isnull=False),
            ),
            models.Index(
                fields=["tenant", "submitted_at"], name="jobs_longest_waiting", condition=models.Q(status="PENDING")
            ),
            models.Index(
                fields=["tenant"],
                name="jobs_held_by_budget",
                condition=models.Q(status="PENDING", reason="BUDGET_REACHED"),
            ),
            # What a pass reads; see `JobQuerySet.in_hand`.
            models.Index(
                fields=["submitted_at", "job_id"],
                name="jobs_in_hand",
                condition=models.Q(status__in=["PENDING", "RUNNING"])
                & (
                    models.Q(status="RUNNING")
                    | models.Q(dispatching_at__isnull=False)
                    | models.Q(dispatched_at__isnull=False)
                ),
            ),
            models.Index(
                fields=["cancel_requested_at"],
                name="jobs_cancelling",
                condition=models.Q(status__in=["PENDING", "RUNNING"], cancel_requested_at__isnull=False),
            ),
            models.Index("tenant", KT("scenario_data__scenario_id"), name="jobs_tenant_scenario"),
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

    @property
    def waits(self) -> bool:
        """For its turn, a machine or its pod's start; see `JobQuerySet.waiting`."""
        if self.is_finished:
            return False
        return self.status == self.Status.PENDING or self.dispatched_at is None or self.reason in self.WAITING

    @property
    def is_queued(self) -> bool:
        """It waits in its tenant's line."""
        return self.status == self.Status.PENDING and self.dispatched_at is None

    @property
    def told_progress(self) -> Progress | None:
        """Its last report, which came before its end: a run that ended whole, at its end time or once all vehicles had
        left, is done."""
        if self.progress is None or self.status != self.Status.SUCCEEDED:
            return self.progress
        return {**self.progress, "percent": 100.0, "eta_s": 0.0}

    def request_cancel(self) -> bool:
        """Wish for the job's end; the reconciler grants it. False if it was wished before or the job has ended."""
        now = timezone.now()
        wished = Job.objects.active().filter(pk=self.pk, cancel_requested_at=None).update(cancel_requested_at=now)
        if wished:
            self.cancel_requested_at = now
        return bool(wished)

    def name_of_attempt(self, attempt: int) -> str:
        """The Kubernetes Job's name: at most 63 bytes, since Kubernetes copies it into a label."""
        name = f"sim-{self.job_id.hex}"
        return name if attempt == 1 else f"{name}-{attempt}"

    def move_to(self, status: str, *, reason: str, message: str, **columns: Any) -> bool:
        """Compare-and-swap to `status` with its event in one transaction; False if another writer was first.

        An end's notice for the outbox is written in it too.

        Staying in the same status with another reason or message is a move too (an event is written when the reason
        changes). `columns` are written along. Raises ValueError for a move the table does not allow, and for a
        reason that is not in the table of endings.
        """
        columns = self.columns_of_move(status, reason, message, columns)
        event, notice = self.event_of_move(columns), self.notice_of_move(columns)
        with transaction.atomic():
            if not Job.objects.filter(pk=self.pk, status=self.status, attempt=self.attempt).update(**columns):
                return False
            if event:
                event.save()
            if notice:
                notice.save()
        for name, value in columns.items():
            setattr(self, name, value)
        return True

    def columns_of_move(self, status: str, reason: str, message: str, columns: Mapping[str, Any]) -> dict[str, Any]:
        """What a move writes. Raises ValueError for a move or a reason that the tables do not have."""
        if status != self.status and status not in self.MOVES.get(self.status, frozenset()):
            raise ValueError(f"{self.status} → {status} is not a move a job can make")
        if status == self.status and self.is_finished:
            raise ValueError(f"{self.status} is final")
        written = {**columns, "status": status, "reason": Reason(reason).value, "message": message}
        if status in self.TERMINAL:
            written.setdefault("finished_at", timezone.now())
        elif status == self.Status.RUNNING and self.started_at is None:
            written.setdefault("started_at", timezone.now())
        return written

    def notice_of_move(self, columns: Mapping[str, Any]) -> Notice | None:
        """What its tenant's receivers are told, unsaved; None but for an end."""
        status = str(columns["status"])
        if status not in self.TERMINAL:
            return None
        data = {"job_id": str(self.pk), "status": status, "reason": columns["reason"]}
        return Notice(tenant_id=self.tenant_id, kind=f"job.{status.lower()}", data=data)

    def event_of_move(self, columns: Mapping[str, Any]) -> "JobEvent | None":
        """Its line in the timeline, unsaved; None if it says nothing new."""
        if (columns["status"], columns["reason"]) == (self.status, self.reason):
            return None
        return self.events.model(
            job=self,
            status=columns["status"],
            reason=columns["reason"],
            message=columns["message"],
            attempt=columns.get("attempt", self.attempt),
        )
