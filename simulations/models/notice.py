"""The outbox: what is to be told to tenants' receivers, written in the transaction of what it tells."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone

from tenants.models import Tenant


class Notice(models.Model):
    """Something that happened, once. Whoever writes it knows no receivers; `simulations.webhooks` does."""

    class Kind(models.TextChoices):
        JOB_SUCCEEDED = "job.succeeded"
        JOB_FAILED = "job.failed"
        JOB_CANCELLED = "job.cancelled"
        STUDY_ENDED = "study.ended"
        BUDGET_REACHED = "budget.reached"
        KEY_EXPIRING = "key.expiring"
        WEBHOOK_DISABLED = "webhook.disabled"
        USAGE_WEEKLY = "usage.weekly"
        TEST = "webhook.test"

    notice_id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="notices", db_index=False)
    kind = models.CharField(max_length=24, choices=Kind.choices)
    data = models.JSONField(default=dict, help_text="Names, not contents: who wants more asks the API.")
    at = models.DateTimeField(default=timezone.now)
    awaits_mail = models.BooleanField(default=False, help_text="Its tenant's contact address is to be told as well.")
    is_addressed = models.BooleanField(default=False, help_text="A delivery was made for each receiver that wants it.")

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "notices"
        ordering = ["-at", "-notice_id"]
        indexes = [
            models.Index(fields=["tenant", "at"], name="notices_tenant_at"),
            models.Index(fields=["at"], name="notices_at"),
            models.Index(fields=["at"], name="notices_unaddressed", condition=models.Q(is_addressed=False)),
            models.Index(fields=["tenant"], name="notices_to_mail", condition=models.Q(awaits_mail=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.notice_id}"
