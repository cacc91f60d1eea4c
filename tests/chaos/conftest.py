"""One web for all hostile input."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from simulations.models import Job, Scenario
from tenants.models import RateLimit, Tenant
from tests.chaos.served import Served
from tests.factories import issue_key


@pytest.fixture(scope="module")
def tenant_key(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """Of a tenant whose row another process can see."""
    with django_db_blocker.unblock():
        tenant = Tenant.objects.create(tenant_id="hostile", namespace="hostile")
        yield f"Bearer {issue_key(tenant)}"
        for rows in (Job.objects, Scenario.objects):
            rows.filter(tenant=tenant).delete()
        tenant.delete()
        RateLimit.objects.all().delete()  # committed, so the next tests of this process would find them


@pytest.fixture(scope="module")
def served(tenant_key: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("served"), key=tenant_key)
    yield server
    server.close()
