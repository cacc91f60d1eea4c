"""How often submissions were refused for what the tenant may have: by day and code, so that a limit can be judged."""

from typing import ClassVar

from django.db import models

from tenants.models import Tenant


class Refusal(models.Model):
    """A counter; see `services.refusals`."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="refusals", db_index=False)
    day = models.DateField()
    code = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=1)

    objects: ClassVar = models.Manager()

    class Meta:
        db_table = "refusals"
        constraints = [models.UniqueConstraint(fields=["tenant", "day", "code"], name="refusals_unique")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.day} {self.code}: {self.count}"
