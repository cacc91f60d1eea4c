"""Who may run simulations, and how much at once."""

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from tenants.accounts.models import Letter, PersonSession
from tenants.changes import Change
from tenants.clusters import FIRST, Cluster
from tenants.limits import Limit, Limits
from tenants.members import Invitation, Member, Role
from tenants.names import validate_namespace, validate_tenant_id
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
KEY_FORMAT = re.compile(r"sk8_[A-Za-z0-9_-]{43}")
LAST_USED_EVERY = timedelta(minutes=5)


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


def validate_label(label: str) -> None:
    """Raises ValidationError: a label with line breaks or control characters would speak to terminals."""
    if not label.isprintable():
        raise ValidationError("A label is one line of printable text.", code="label.not_printable")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(
        self,
        *,
        tenant: Tenant | None,
        label: str = "",
        expires_at: datetime | None = None,
        role: Role = Role.OWNER,
        trust: TrustedIssuer | None = None,
    ) -> tuple["ApiKey", str]:
        """Make a key; `tenant=None` makes an admin key. Returns the row and the key itself, which is never stored.

        Raises ValidationError for a label with control characters.
        """
        validate_label(label)
        key = f"sk8_{secrets.token_urlsafe(32)}"
        scope = ApiKey.Scope.TENANT if tenant else ApiKey.Scope.ADMIN
        row = self.create(
            tenant=tenant,
            scope=scope,
            digest=ApiKey.digest_of(key),
            prefix=key[:12],
            label=label,
            expires_at=expires_at,
            role=role,
            trust=trust,
        )
        return row, key

    def lasting(self) -> "ApiKeyQuerySet":
        """Without those that were traded for a token and end by themselves."""
        return self.filter(trust=None)

    def shown(self) -> "ApiKeyQuerySet":
        """For lists: those that were traded may be many, and are there while they can be used."""
        return self.filter(models.Q(trust=None) | models.Q(expires_at__gt=timezone.now()))

    def usable(self) -> "ApiKeyQuerySet":
        """Keys that are neither revoked nor expired, of active tenants or admins."""
        return self.filter(
            models.Q(expires_at=None) | models.Q(expires_at__gt=timezone.now()),
            models.Q(tenant=None) | models.Q(tenant__is_active=True),
            revoked_at=None,
        )


class ApiKey(models.Model):
    """A bearer key. Only its SHA-256 digest is stored: 256 random bits need no slow hash; a backup leaks nothing."""

    class Scope(models.TextChoices):
        TENANT = "tenant"
        ADMIN = "admin"

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, blank=True, related_name="api_keys")
    scope = models.CharField(max_length=10, choices=Scope.choices, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=12, editable=False)
    label = models.CharField(max_length=100, blank=True)
    role = models.CharField(
        max_length=10, choices=Role.choices, default=Role.OWNER, help_text="What it may do for its tenant."
    )
    trust = models.ForeignKey(
        TrustedIssuer,
        models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="api_keys",
        help_text="By which a token was traded for it; they end together.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expiry_told_for = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The `expires_at` of which its owner was told."
    )

    objects: ClassVar = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        ordering = ["-created_at"]
        # Those traded for tokens come and go by the thousand: each exchange counts the usable and forgets the oldest.
        indexes = [
            models.Index(fields=["expires_at"], name="api_keys_traded_by_end", condition=models.Q(trust__isnull=False))
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope="tenant", tenant__isnull=False) | models.Q(scope="admin", tenant__isnull=True),
                name="api_keys_scope_matches_tenant",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.label}".strip()

    @staticmethod
    def digest_of(key: str) -> str:
        """Hex SHA-256 of the key as sent."""
        return hashlib.sha256(key.encode()).hexdigest()

    def touch(self) -> None:
        """Record the use, at most every five minutes: a write per request would cost more than it tells."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > LAST_USED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    @property
    def state(self) -> str:
        """`usable`, `revoked`, `expired`, or `inactive` as its tenant is."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= timezone.now():
            return "expired"
        return "usable" if self.tenant is None or self.tenant.is_active else "inactive"

    def rotate(self, *, overlap: timedelta) -> tuple["ApiKey", str]:
        """Issue a successor with the same owner and label; this key expires after `overlap` at the latest.

        Returns the new row and the key itself. Raises ValidationError if this key is not usable any more.
        """
        if self.trust_id is not None:
            raise ValidationError("This key was traded for a token; trade another one.", code="key.traded")
        if self.state == "inactive":
            raise ValidationError(f"Tenant {self.tenant_id} is inactive; make it active first.", code="key.inactive")
        if self.state != "usable":
            raise ValidationError(f"The key {self.prefix}… is {self.state}; issue a new one instead.", code="key.ended")
        with transaction.atomic():
            successor = ApiKey.objects.issue(tenant=self.tenant, label=self.label, role=Role(self.role))
            ends = timezone.now() + overlap
            self.expires_at = min(ends, self.expires_at) if self.expires_at else ends
            self.save(update_fields=["expires_at"])
        return successor

    def revoke(self) -> bool:
        """Refuse the key from now on; False if it was revoked before."""
        return bool(ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()))


class RateLimit(models.Model):
    """A caller's requests of late, as one moment: see `tenants.throttling`, which reads and writes it by plain SQL."""

    bucket = models.CharField(max_length=64, primary_key=True)
    arrival = models.DateTimeField()

    class Meta:
        db_table = "rate_limits"
