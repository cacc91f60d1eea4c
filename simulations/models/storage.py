"""How much each tenant keeps."""

from django.db import models

from tenants.models import Tenant


class TenantStorage(models.Model):
    """Bytes that a tenant keeps: counted where they are stored and deleted, never summed up on the way.

    A row of its own, so that a delivered result does not wait for the tenant's row, which every submission locks.
    """

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="storage")
    result_bytes = models.BigIntegerField(default=0)
    scenario_bytes = models.BigIntegerField(
        default=0, help_text="Of its own versions; those with the same content count once. Shared ones are nobody's."
    )

    class Meta:
        db_table = "tenant_storage"

    def __str__(self) -> str:
        return f"storage of {self.tenant_id}"
