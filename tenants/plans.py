"""Plans: limits and prices that many tenants share, and who had which one from when on."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.utils import timezone

from tenants.limits import Limit, Limits

if TYPE_CHECKING:
    from tenants.models import Tenant

NAME = RegexValidator(r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?\Z", "1 to 40 lower-case letters, digits and hyphens.")


def billing_today() -> date:
    """The day of the billing time zone."""
    return datetime.now(ZoneInfo(settings.BILLING_TIME_ZONE)).date()


class Item(models.TextChoices):
    """What a price can be for."""

    CPU_HOUR = "cpu_hour", "CPU, an hour"
    GIB_HOUR = "gib_hour", "GiB of memory, an hour"
    RUN = "run", "a run"
    STORAGE_GIB_DAY = "storage_gib_day", "GiB kept, a day"


class Plan(Limits):
    """A tenant of a plan has its limits, but for those that are its own."""

    name = models.CharField(max_length=40, unique=True, validators=[NAME])
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "plans"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_cpu__gte=1, max_memory_gi__gte=1, max_concurrent_jobs__gte=1, weight__gte=1),
                name="plans_limits_at_least_one",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def affected(self, *, lock: bool = False) -> "list[tuple[Tenant, dict[str, tuple[Limit, Limit]]]]":
        """Its tenants whose limits these (perhaps unsaved) figures would change, with old and new; none is saved."""
        tenants = self.tenants.order_by("tenant_id")
        if lock:
            tenants = tenants.select_for_update(no_key=True)
        found = [(tenant, tenant.take_plan(self)) for tenant in tenants]
        return [(tenant, changed) for tenant, changed in found if changed]

    @transaction.atomic
    def hand_down(self) -> int:
        """Write its limits to its tenants, but for those that are their own; how many changed."""
        changed = self.affected(lock=True)
        for tenant, limits in changed:
            tenant.save(update_fields=list(limits))
        return len(changed)


class PlanPrice(models.Model):
    """What one of an item costs from a day on. Never edited, which the database refuses: a later row supersedes it."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="prices")
    item = models.CharField(max_length=16, choices=Item.choices)
    price = models.DecimalField(
        max_digits=12, decimal_places=6, validators=[MinValueValidator(Decimal(0))], help_text="In BILLING_CURRENCY."
    )
    since = models.DateField(
        default=billing_today, help_text="The first day of the billing time zone; not in the past."
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "plan_prices"
        ordering = ["plan", "item", "-since", "-id"]
        indexes = [models.Index(fields=["plan", "item", "-since", "-id"], name="plan_prices_newest")]
        constraints = [models.CheckConstraint(condition=models.Q(price__gte=0), name="plan_prices_not_negative")]

    def __str__(self) -> str:
        return f"{self.plan} {self.item} {self.price.normalize():f} since {self.since}"

    def clean(self) -> None:
        if self.since and self.since < billing_today():
            raise ValidationError({"since": "What has run was billed by the prices of its day; choose today or later."})


class PlanAssignment(models.Model):
    """Since a day the tenant has that plan, or none. The latest of the past is in force; a later one waits."""

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="plan_assignments", db_index=False)
    plan = models.ForeignKey(Plan, models.PROTECT, null=True, blank=True, related_name="assignments")
    since = models.DateField()
    keeps = models.JSONField(default=list, help_text="Limits that stay the tenant's own.")
    is_applied = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    made_by = models.CharField(max_length=150, blank=True)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "plan_assignments"
        ordering = ["tenant", "since", "id"]
        indexes = [
            models.Index(fields=["tenant", "since", "id"], name="plan_assignments_in_order"),
            models.Index(fields=["since"], name="plan_assignments_waiting", condition=models.Q(is_applied=False)),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.plan or 'no plan'} since {self.since}"

    def is_superseded(self) -> bool:
        """Whether a later one is in force already; what is billed goes by the latest too."""
        later = models.Q(since__gt=self.since) | models.Q(since=self.since, pk__gt=self.pk)
        return PlanAssignment.objects.filter(later, tenant=self.tenant_id, is_applied=True).exists()

    def apply(self, tenant: Any) -> None:
        """Make it the tenant's plan now; the caller holds the tenant's row."""
        tenant.plan = self.plan
        tenant.own_limits = sorted(set(self.keeps)) if self.plan else []
        if self.plan:
            tenant.take_plan(self.plan)
        tenant.full_clean(exclude=["tenant_id", "namespace"])
        tenant.save(update_fields=["plan", "own_limits", *tenant.LIMITS])
        self.is_applied = True
        self.save()
