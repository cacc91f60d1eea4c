"""A key that is about to expire is told once, unless its successor is there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from simulations.models import Notice
from simulations.services.expiring_keys import tell_expiring_keys
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db


def test_told_once_for_each_end(tenant: Tenant) -> None:
    soon = timezone.now() + timedelta(days=6)
    key, _ = ApiKey.objects.issue(tenant=tenant, label="ci", expires_at=soon)
    ApiKey.objects.issue(tenant=tenant, label="later", expires_at=soon + timedelta(days=2))
    ApiKey.objects.issue(tenant=None, label="ops", expires_at=soon)
    ApiKey.objects.update(created_at=timezone.now() - timedelta(days=30))
    ApiKey.objects.issue(tenant=tenant, label="made for a few days", expires_at=soon)
    assert (tell_expiring_keys(), tell_expiring_keys()) == (1, 0)
    assert Notice.objects.get().data == {"prefix": key.prefix, "label": "ci", "expires_at": soon.isoformat()}
    ApiKey.objects.filter(pk=key.pk).update(expires_at=soon + timedelta(hours=1))
    assert tell_expiring_keys() == 1


def test_a_rotated_key_is_not_told(tenant: Tenant) -> None:
    key, _ = ApiKey.objects.issue(tenant=tenant, label="ci")
    key.rotate(overlap=timedelta(hours=1))
    assert tell_expiring_keys() == 0
