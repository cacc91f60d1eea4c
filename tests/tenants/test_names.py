"""Which names tenants and namespaces may have."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from tenants.models import Tenant
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("name", ["a", "city-a", "4tu", "x" * 40, "kubernetes"])
def test_accepted(name):
    Tenant(tenant_id=name).full_clean()


@pytest.mark.parametrize(
    "name",
    ["", "City", "city_a", "-a", "a-", "a.b", "x" * 41, "default", "kube-system", "sumok8", "zürich", "a\n", "a b"],
)
def test_refused(name):
    with pytest.raises(ValidationError):
        Tenant(tenant_id=name).full_clean()


def test_namespace_defaults_to_the_name_with_the_prefix(settings):
    settings.NAMESPACE_PREFIX = "sim-"
    tenant = Tenant(tenant_id="city-a")
    tenant.full_clean()
    assert tenant.namespace == "sim-city-a"


@pytest.mark.parametrize("namespace", ["kube-public", "default", "sumok8", "Big", "x" * 64])
def test_namespace_refused(namespace):
    with pytest.raises(ValidationError):
        Tenant(tenant_id="city-a", namespace=namespace).full_clean()


def test_a_namespace_serves_one_tenant():
    TenantFactory(tenant_id="city-a", namespace="shared")
    with pytest.raises(ValidationError, match="already exists"):
        Tenant(tenant_id="city-b", namespace="shared").full_clean()


@pytest.mark.parametrize("limit", ["max_cpu", "max_memory_gi", "max_concurrent_jobs"])
def test_the_database_refuses_a_limit_below_one(limit):
    with pytest.raises(IntegrityError), transaction.atomic():
        TenantFactory(**{limit: 0})
