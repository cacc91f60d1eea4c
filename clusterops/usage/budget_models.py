"""What a tenant may use in a month; `budgets.py` compares it with the ledger."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from clusterops.usage.ledger import LedgerTotal
from tenants.models import Tenant

MAX_SHARES = 10
PERIOD = RegexValidator(r"^20\d{2}-(0[1-9]|1[0-2])\Z", "Write the month as YYYY-MM, for example 2026-11.")


class Budget(models.Model):
    """What a tenant may use in a month, and what happens when it has."""

    class Measure(models.TextChoices):
        AMOUNT = "amount", "amount, in BILLING_CURRENCY"
        CPU_HOURS = "cpu_hours", "CPU-hours"

    class OnReach(models.TextChoices):
        ALERT = "alert", "tell, and go on"
        HOLD = "hold", "start no more jobs"
        REFUSE = "refuse", "start no more jobs and refuse new ones"

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="budgets", db_index=False)
    period = models.CharField(
        max_length=7, blank=True, validators=[PERIOD], help_text="YYYY-MM; empty: every month without one of its own."
    )
    measure = models.CharField(max_length=9, choices=Measure.choices, default=Measure.AMOUNT)
    limit = models.DecimalField(max_digits=14, decimal_places=2)
    alert_at = models.JSONField(default=list, blank=True, help_text="Percentages at which to tell, such as [50, 80].")
    on_reach = models.CharField(max_length=6, choices=OnReach.choices, default=OnReach.ALERT)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "budgets"
        ordering = ["tenant", "period"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period"], name="budgets_unique"),
            models.CheckConstraint(condition=models.Q(limit__gt=0), name="budgets_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.shown(self.limit)} of {self.tenant_id}"

    def shown(self, value: Decimal) -> str:
        unit = settings.BILLING_CURRENCY if self.measure == self.Measure.AMOUNT else "CPU-hours"
        return f"{value:.2f} {unit}"

    @property
    def stops(self) -> bool:
        """Whether jobs wait when it is used up."""
        return self.on_reach != self.OnReach.ALERT

    def used_of(self, total: LedgerTotal | None) -> Decimal:
        if total is None:
            return Decimal(0)
        return total.amount if self.measure == self.Measure.AMOUNT else total.cpu_seconds / 3600

    def clean(self) -> None:
        shares = self.alert_at
        fit = isinstance(shares, list) and len(shares) <= MAX_SHARES
        if not fit or not all(type(each) is int and 1 <= each <= 100 for each in shares):
            message = f"A list of at most {MAX_SHARES} whole percentages from 1 to 100, such as [50, 80]."
            raise ValidationError({"alert_at": message})


class BudgetAlert(models.Model):
    """That a share of a budget was reached in a month, told once."""

    budget = models.ForeignKey(Budget, models.CASCADE, related_name="alerts")
    period = models.CharField(max_length=7)
    percent = models.PositiveSmallIntegerField()
    limit = models.DecimalField(
        max_digits=14, decimal_places=2, help_text="Of which it is a share: a new one is told anew."
    )
    used = models.DecimalField(max_digits=24, decimal_places=6)
    at = models.DateTimeField(default=timezone.now)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "budget_alerts"
        constraints = [
            models.UniqueConstraint(fields=["budget", "period", "percent", "limit"], name="budget_alerts_once")
        ]

    def __str__(self) -> str:
        return f"{self.budget} {self.period} {self.percent} %"
