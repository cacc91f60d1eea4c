"""Who may run simulations, and how much at once."""

from collections.abc import Iterable

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from tenants.accounts.models import Letter, PersonSession
from tenants.api_keys import ApiKey
from tenants.changes import Change
from tenants.clusters import FIRST, Cluster
from tenants.limits import Limit, Limits
from tenants.members import Invitation, Member
from tenants.names import is_tenant_id, validate_namespace, validate_tenant_id
from tenants.plans import Plan, PlanAssignment, PlanPrice
from tenants.trust.models import Identity, IssuerKeys, TrustedIssuer, UsedToken

__all__ = [
    "ApiKey",
    "Change",
    "Cluster",
    "Identity",
    "Invitation",
    "IssuerKeys",
    "Letter",
    "Member",
    "PersonSession",
    "Plan",
    "PlanAssignment",
    "PlanPrice",
    "RateLimit",
    "Tenant",
    "TrustedIssuer",
    "UsedToken",
]


class Tenant(Limits):
    """A city, university or consultancy: one namespace, one set of limits."""

    tenant_id = models.CharField("tenant", max_length=40, primary_key=True, validators=[validate_tenant_id])
    namespace = models.CharField(
        max_length=63,
        unique=True,
        blank=True,
        validators=[validate_namespace],
        help_text="Kubernetes namespace; empty: the tenant's name with the configured prefix.",
    )
    plan = models.ForeignKey(
        Plan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="tenants",
        help_text="Its limits follow the plan, but for those that are its own. None: all are its own.",
    )
    own_limits = ArrayField(
        models.CharField(max_length=24), default=list, blank=True, help_text="Limits that do not follow the plan."
    )
    is_active = models.BooleanField("active", default=True, help_text="Inactive: its keys are refused.")
    submissions_paused = models.BooleanField(default=False, help_text="Paused: reads go on, new jobs are refused.")
    refused_because = models.CharField(
        max_length=200, blank=True, editable=False, help_text="Why new jobs are refused for now, beside a pause."
    )
    contact_email = models.EmailField(
        "contact address", blank=True, help_text="Told of budgets, keys about to expire and webhooks that were stopped."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    cluster = models.ForeignKey(
        Cluster,
        models.PROTECT,
        default=FIRST,
        db_default=models.Value(FIRST),
        related_name="tenants",
        help_text="Its home, where its jobs run.",
    )
    allowed_regions = ArrayField(
        models.CharField(max_length=40),
        default=list,
        db_default=[],
        blank=True,
        help_text="Regions of clusters that may be its home, separated by commas; empty: any.",
    )

    class Meta:
        db_table = "tenants"
        ordering = ["tenant_id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_cpu__gte=1, max_memory_gi__gte=1, max_concurrent_jobs__gte=1),
                name="tenants_limits_at_least_one",
            ),
            models.CheckConstraint(condition=models.Q(weight__gte=1), name="tenants_weight_at_least_one"),
        ]

    def __str__(self) -> str:
        return self.tenant_id

    def clean(self) -> None:
        if not self.namespace:
            self.namespace = f"{settings.NAMESPACE_PREFIX}{self.tenant_id}"
            if is_tenant_id(self.tenant_id):  # what is wrong with it is told already
                validate_namespace(self.namespace)
        if not self.may_live_in(self.cluster.region if self.allowed_regions else ""):
            raise ValidationError(
                f"Its home {self.cluster} stands in the region “{self.cluster.region}”, and it is bound to "
                f"{', '.join(self.allowed_regions)}.",
                code="tenant.region",
            )

    def may_live_in(self, region: str) -> bool:
        """Whether a cluster there may be its home."""
        return not self.allowed_regions or region in self.allowed_regions

    def lock(self) -> None:
        """Until the transaction ends: what is counted before it grows is counted by one at a time."""
        Tenant.objects.select_for_update(no_key=True).only("pk").get(pk=self.pk)

    @property
    def sources(self) -> dict[str, str]:
        """Where each limit comes from: `plan`, `own`, or `service` where neither says anything."""

        def source(name: str) -> str:
            if getattr(self, name) is None:
                return "service"
            return "own" if self.plan_id is None or name in self.own_limits else "plan"

        return {name: source(name) for name in self.LIMITS}

    def take_plan(self, plan: Plan) -> dict[str, tuple[Limit, Limit]]:
        """The plan's limits but for its own, unsaved; `{name: (old, new)}` of those that changed."""
        return self.copy_limits(plan, [name for name in self.LIMITS if name not in self.own_limits])

    def change_limits(self, **limits: Limit) -> dict[str, tuple[Limit, Limit]]:
        """Validate and save; returns `{name: (old, new)}` of those that changed. Raises ValidationError.

        Of a tenant with a plan, what is named here is its own from now on.
        """
        changed = {name: (old, limits[name]) for name, old in self.limits.items() if limits.get(name, old) != old}
        own = sorted({*self.own_limits, *limits}) if self.plan_id else []
        for name, (_, new) in changed.items():
            setattr(self, name, new)
        is_new = own != self.own_limits
        self.own_limits = own
        self.full_clean()
        if changed or is_new:
            self.save(update_fields=[*changed, "own_limits"])
        return changed

    def inherit(self, names: Iterable[str]) -> dict[str, tuple[Limit, Limit]]:
        """Let these limits follow the plan again, and save; `{name: (old, new)}` of those that changed."""
        if self.plan is None:
            raise ValidationError("It has no plan to inherit limits from.", code="tenant.no_plan")
        self.own_limits = sorted(set(self.own_limits) - set(names))
        changed = self.take_plan(self.plan)
        self.save(update_fields=[*changed, "own_limits"])
        return changed


class RateLimit(models.Model):
    """A caller's requests of late, as one moment: see `tenants.throttling`, which reads and writes it by plain SQL."""

    bucket = models.CharField(max_length=64, primary_key=True)
    arrival = models.DateTimeField()

    class Meta:
        db_table = "rate_limits"
