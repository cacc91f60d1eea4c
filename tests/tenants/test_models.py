"""Names that a tenant may have; what is stored of a key."""

import pytest
from django.core.exceptions import ValidationError

from tenants.models import ApiKey, Tenant


@pytest.mark.parametrize("name", ["a", "city-a", "x" * 40, "7th-district"])
def test_good_names(name: str) -> None:
    Tenant(tenant_id=name).clean_fields(exclude=["namespace", "cluster"])


@pytest.mark.parametrize(
    "name", ["", "City", "a_b", "-a", "a-", "x" * 41, "default", "kube-system", "kube-public", "sumok8", "ä", "a.b"]
)
def test_bad_names(name: str) -> None:
    with pytest.raises(ValidationError):
        Tenant(tenant_id=name).clean_fields(exclude=["namespace", "cluster"])


def test_namespace_defaults_to_the_prefixed_id(settings) -> None:
    settings.NAMESPACE_PREFIX = "sim-"
    tenant = Tenant(tenant_id="city-a")
    tenant.clean()
    assert tenant.namespace == "sim-city-a"


def test_a_key_is_not_stored(tenant: Tenant) -> None:
    row, key = ApiKey.objects.issue(tenant=tenant, label="laptop")
    stored = ApiKey.objects.filter(pk=row.pk).values().get()
    assert key not in str(stored)
    assert key.startswith(stored["prefix"])
