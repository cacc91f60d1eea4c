"""What touches a tenant and its keys together."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from tenants.models import ApiKey, Tenant


@dataclass(frozen=True)
class TenantFound:
    """The tenant as it is now; `key` in clear text only when one was made just now."""

    tenant: Tenant
    created: bool
    key: str | None


@transaction.atomic
def create_tenant(
    *, tenant_id: str, namespace: str = "", limits: Mapping[str, int | str] | None = None, with_key: bool = True
) -> TenantFound:
    """Make the tenant and its first key, or find it: repeating changes nothing. Raises ValidationError."""
    if found := Tenant.objects.filter(tenant_id=tenant_id).first():
        return TenantFound(tenant=found, created=False, key=None)
    wanted = Tenant(tenant_id=tenant_id, namespace=namespace, **(limits or {}))
    wanted.full_clean()
    tenant, created = Tenant.objects.get_or_create(
        tenant_id=tenant_id, defaults={"namespace": wanted.namespace, **wanted.limits}
    )
    key = ApiKey.objects.issue(tenant=tenant, label="first key")[1] if created and with_key else None
    return TenantFound(tenant=tenant, created=created, key=key)
