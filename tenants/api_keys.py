"""By which programs act for a tenant, and operators for all."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone

from tenants.members import Role
from tenants.trust.models import TrustedIssuer

if TYPE_CHECKING:
    from tenants.models import Tenant

KEY_FORMAT = re.compile(r"sk8_[A-Za-z0-9_-]{43}")
LAST_USED_EVERY = timedelta(minutes=5)


def validate_label(label: str) -> None:
    """Raises ValidationError: a label with line breaks or control characters would speak to terminals."""
    if not label.isprintable():
        raise ValidationError("A label is one line of printable text.", code="label.not_printable")


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def issue(
        self,
        *,
        tenant: "Tenant | None",
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

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, null=True, blank=True, related_name="api_keys")
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
