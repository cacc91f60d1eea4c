"""Who wants to be told, and what became of telling them."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from simulations.models import Notice
from simulations.webhooks import signatures
from tenants.models import Tenant

OVERLAP = timedelta(hours=24)  # how long a rotated secret still signs as well


class Endpoint(models.Model):
    """An address of a tenant's that is called. Its secret is not stored but derived; see `signatures`."""

    endpoint_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=24), default=list, help_text="Kinds of notices; none: all.")
    is_active = models.BooleanField(default=True)
    disabled_because = models.CharField(max_length=200, blank=True, help_text="Why the service stopped calling it.")
    secret_version = models.PositiveIntegerField(default=1)
    rotated_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    served_at = models.DateTimeField(null=True, blank=True, help_text="When its turn last came.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        db_table = "webhook_endpoints"
        ordering = ["created_at", "endpoint_id"]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """As the receiver needs it, `whsec_…`."""
        return signatures.secret(self.pk, self.secret_version)

    @property
    def secrets(self) -> list[str]:
        """All that sign at present, the newest first."""
        versions = [self.secret_version]
        if self.rotated_at and timezone.now() - self.rotated_at < OVERLAP:
            versions.append(self.secret_version - 1)
        return [signatures.secret(self.pk, version) for version in versions]

    def rotate(self) -> None:
        """A new secret; the one before signs as well for OVERLAP."""
        Endpoint.objects.filter(pk=self.pk).update(secret_version=models.F("secret_version") + 1, rotated_at=Now())
        self.refresh_from_db(fields=["secret_version", "rotated_at"])

    def disable(self, because: str) -> None:
        """Call it no more until the tenant makes it active again; what waits for it is kept. Others are told."""
        self.is_active, self.disabled_because = False, because
        data = {"endpoint_id": str(self.pk), "because": because}
        with transaction.atomic():
            self.save(update_fields=["is_active", "disabled_because"])
            Notice.objects.create(
                tenant_id=self.tenant_id, kind=Notice.Kind.WEBHOOK_DISABLED, data=data, awaits_mail=True
            )


class Mailbox(models.Model):
    """When a tenant's contact address may be written to next: what comes meanwhile goes into one message."""

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="mailbox")
    rests_until = models.DateTimeField(default=timezone.now)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "mailboxes"

    def __str__(self) -> str:
        return f"mailbox of {self.tenant_id}"


class Delivery(models.Model):
    """A notice for an endpoint: at least once, under the same id each time."""

    class State(models.TextChoices):
        PENDING = "PENDING"
        DELIVERED = "DELIVERED"
        FAILED = "FAILED"

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="deliveries", db_index=False)
    notice = models.ForeignKey(Notice, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    next_try_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True, help_text="A sender has it under way until then.")
    last_tried_at = models.DateTimeField(null=True, blank=True)
    last_status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status; null: no answer.")
    last_problem = models.CharField(max_length=200, blank=True, help_text="In our words, never the receiver's.")

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "webhook_deliveries"
        verbose_name_plural = "deliveries"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["endpoint", "-created_at", "-id"], name="deliveries_newest"),
            models.Index(
                fields=["endpoint", "next_try_at"], name="deliveries_pending", condition=models.Q(state="PENDING")
            ),
        ]
        constraints = [models.UniqueConstraint(fields=["endpoint", "notice"], name="deliveries_unique")]

    def __str__(self) -> str:
        return f"{self.notice_id} to {self.endpoint_id}"
