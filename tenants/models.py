"""Who may run simulations, and how much at once."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils import timezone

from tenants.members import Invitation as Invitation
from tenants.members import Member as Member
from tenants.members import Role
from tenants.names import validate_namespace, validate_tenant_id
from tenants.priority import PriorityClass

KEY_FORMAT = re.compile(r"sk8_[A-Za-z0-9_-]{43}")
LAST_USED_EVERY = timedelta(minutes=5)
MAX_WEIGHT = 1000


class Tenant(models.Model):
    """A city, university or consultancy: one namespace, one set of limits."""

    LIMITS: ClassVar = (
        *("max_cpu", "max_memory_gi", "max_concurrent_jobs", "max_queued_jobs"),
        *("weight", "max_priority_class"),
    )

    tenant_id = models.CharField("tenant", max_length=40, primary_key=True, validators=[validate_tenant_id])
    namespace = models.CharField(
        max_length=63,
        unique=True,
        blank=True,
        validators=[validate_namespace],
        help_text="Kubernetes namespace; empty: the tenant's name with the configured prefix.",
    )
    max_cpu = models.PositiveIntegerField(
        "CPU limit",
        default=10,
        validators=[MinValueValidator(1, "A tenant needs at least 1 CPU: every job asks for one or more.")],
        help_text="CPUs of all running jobs together.",
    )
    max_memory_gi = models.PositiveIntegerField(
        "memory limit (Gi)",
        default=20,
        validators=[MinValueValidator(1, "A tenant needs at least 1 Gi: every job asks for one or more.")],
        help_text="Gi of all running jobs together.",
    )
    max_concurrent_jobs = models.PositiveIntegerField(
        "concurrent jobs",
        default=2,
        validators=[MinValueValidator(1, "At least 1 job at a time; to stop new jobs, pause submissions instead.")],
        help_text="Jobs that run at the same time.",
    )
    max_queued_jobs = models.PositiveIntegerField(
        "queued jobs", default=100, help_text="Jobs that may wait beyond those that run; 0 refuses instead of queueing."
    )
    weight = models.PositiveSmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_WEIGHT)],
        help_text="Its share where the cluster is not enough for all: 2 gets twice as much as 1.",
    )
    max_priority_class = models.CharField(
        "highest priority class",
        max_length=6,
        choices=PriorityClass.choices,
        default=PriorityClass.NORMAL,
        help_text="The highest class that its jobs may ask for; classes order its own jobs only.",
    )
    is_active = models.BooleanField("active", default=True, help_text="Inactive: its keys are refused.")
    submissions_paused = models.BooleanField(default=False, help_text="Paused: reads go on, new jobs are refused.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

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

    @property
    def limits(self) -> dict[str, int | str]:
        """The limits by column name."""
        return {name: getattr(self, name) for name in self.LIMITS}

    def change_limits(self, **limits: int | str) -> dict[str, tuple[int | str, int | str]]:
        """Validate and save; returns `{name: (old, new)}` of those that changed. Raises ValidationError."""
        changed = {name: (old, limits[name]) for name, old in self.limits.items() if limits.get(name, old) != old}
        for name, (_, new) in changed.items():
            setattr(self, name, new)
        self.full_clean()
        if changed:
            self.save(update_fields=list(changed))
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
        )
        return row, key

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
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar = ApiKeyQuerySet.as_manager()

    class Meta:
        db_table = "api_keys"
        verbose_name = "API key"
        ordering = ["-created_at"]
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
