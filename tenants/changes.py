"""Who changed what: rows that triggers of the database write in the transaction of the change, whatever its way."""

from typing import ClassVar

from django.db import models

from tenants.acting import NAME, WAY


class Change(models.Model):
    """A row was made, changed or deleted. It outlives its tenant; the database refuses to change or delete it."""

    class Kind(models.TextChoices):
        TENANT = "tenant", "tenant and limits"
        PLAN = "plan", "plan"
        PRICE = "price", "price"
        PLAN_OF_TENANT = "plan of tenant", "plan of a tenant"
        KEY = "key", "API key"
        MEMBER = "member", "member"
        INVITATION = "invitation", "invitation"
        TRUST = "trusted issuer", "trusted issuer"
        WEBHOOK = "webhook", "webhook"
        BUDGET = "budget", "budget"

    at = models.DateTimeField()
    tenant_name = models.CharField(max_length=40, blank=True, help_text="Empty: of no tenant, as plans and prices.")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    action = models.CharField(max_length=8, help_text="made, changed or deleted")
    subject = models.CharField(max_length=300, blank=True, help_text="Which one, never with a secret.")
    fields = models.JSONField(help_text="{column: [old, new]} of what is no secret.")
    by = models.CharField(max_length=NAME, help_text="A user, a key's first characters, or the database's user.")
    via = models.CharField("by way of", max_length=WAY)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "changes"
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant_name", "-id"], name="changes_of_tenant")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} {self.action}"
