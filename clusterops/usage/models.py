"""The evidence: a row per container that ran."""

from datetime import timedelta
from typing import ClassVar

from django.db import models

from clusterops.usage.budget_models import Budget, BudgetAlert
from clusterops.usage.ledger import (
    BillingPeriod,
    LedgerEntry,
    LedgerLine,
    LedgerTotal,
    PartPostedRun,
    Statement,
    UnpostedRun,
    generation,
)
from clusterops.usage.rules import why
from tenants.models import Tenant

__all__ = [
    "BillingPeriod",
    "Budget",
    "BudgetAlert",
    "LedgerEntry",
    "LedgerLine",
    "LedgerTotal",
    "PartPostedRun",
    "PodRun",
    "Statement",
    "UnpostedRun",
]


class PodRunQuerySet(models.QuerySet["PodRun"]):
    def open(self) -> "PodRunQuerySet":
        """Of attempts that have not ended, as far as is known."""
        return self.filter(ending="")

    def ended(self) -> "PodRunQuerySet":
        """Those whose row does not change any more."""
        return self.exclude(ending="")


class PodRun(models.Model):
    """A container that ran, from its start to its end by the cluster's clock.

    Opened when the container is first seen to have started and closed in the transaction that ends its attempt; the
    database refuses to change or delete a closed row. It outlives its job and its tenant, whose data it does not hold:
    names only. What never started has no row.
    """

    job_id = models.UUIDField()
    attempt = models.PositiveSmallIntegerField()
    pod_name = models.CharField(max_length=253)
    node_name = models.CharField(max_length=253, blank=True)
    tenant = models.ForeignKey(
        Tenant, models.SET_NULL, null=True, related_name="pod_runs", db_index=False, help_text="Null: erased since."
    )
    tenant_name = models.CharField(max_length=40)
    generation = generation()
    scenario_id = models.CharField(max_length=64, blank=True)
    labels = models.JSONField(default=dict)
    cpu = models.PositiveIntegerField(help_text="Cores asked for.")
    memory_gi = models.PositiveIntegerField(help_text="GiB asked for.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=24, blank=True, help_text="The reason with which it ended; empty: not yet.")
    end_is_estimate = models.BooleanField(default=False, help_text="Nobody saw its end: when it was last seen.")
    billable = models.BooleanField(default=False)

    objects: ClassVar = PodRunQuerySet.as_manager()

    class Meta:
        db_table = "pod_runs"
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["tenant", "ended_at"], name="pod_runs_tenant_ended"),
            models.Index(fields=["ended_at"], name="pod_runs_ended"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job_id", "attempt", "pod_name"], name="pod_runs_unique"),
            models.CheckConstraint(
                condition=models.Q(ending="", billable=False) | ~models.Q(ending="") & models.Q(ended_at__isnull=False),
                name="pod_runs_ended_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gte=models.F("started_at")),
                name="pod_runs_ends_after_start",
            ),
            models.CheckConstraint(
                condition=models.Q(billable=False) | models.Q(end_is_estimate=False), name="pod_runs_no_guess_is_billed"
            ),
        ]

    def __str__(self) -> str:
        return self.pod_name

    @property
    def duration(self) -> timedelta | None:
        """None while it runs."""
        return self.ended_at - self.started_at if self.ending and self.ended_at else None

    @property
    def why(self) -> str:
        """Why it is billed, or why not; empty while it runs."""
        return why(self.ending, end_is_estimate=self.end_is_estimate)
