"""A key's life: issued, rotated, expired, revoked."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.api_keys import KEY_FORMAT
from tenants.models import ApiKey

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_a_label_is_one_printable_line(tenant) -> None:
    with pytest.raises(ValidationError):
        ApiKey.objects.issue(tenant=tenant, label="a\nb\x1b[31m")


def test_keys_are_random_and_of_the_published_form(tenant):
    keys = {ApiKey.objects.issue(tenant=tenant)[1] for _ in range(20)}
    assert len(keys) == 20
    assert all(KEY_FORMAT.fullmatch(key) for key in keys)


@pytest.mark.parametrize(
    ("expires_in", "revoked", "state"),
    [(None, False, "usable"), (DAY, False, "usable"), (-DAY, False, "expired"), (None, True, "revoked")],
)
def test_state_and_usable_agree(tenant, expires_in, revoked, state):
    row, _ = ApiKey.objects.issue(tenant=tenant, expires_at=expires_in and timezone.now() + expires_in)
    if revoked:
        row.revoke()
        row.refresh_from_db()
    assert row.state == state
    assert ApiKey.objects.usable().exists() is (state == "usable")


def test_keys_of_an_inactive_tenant_are_not_called_usable(tenant):
    row, _ = ApiKey.objects.issue(tenant=tenant)
    tenant.is_active = False
    tenant.save()
    row.refresh_from_db()
    assert row.state == "inactive"
    with pytest.raises(ValidationError, match="make it active first"):
        row.rotate(overlap=DAY)
    assert row.revoke()


def test_revoking_twice_keeps_the_first_time(tenant):
    row, _ = ApiKey.objects.issue(tenant=tenant)
    assert row.revoke() is True
    first = ApiKey.objects.get().revoked_at
    assert row.revoke() is False
    assert ApiKey.objects.get().revoked_at == first


def test_rotation_overlaps(tenant):
    old, _ = ApiKey.objects.issue(tenant=tenant, label="ci")
    new, _ = old.rotate(overlap=DAY)
    assert (new.tenant, new.label, new.expires_at) == (tenant, "ci", None)
    assert timedelta(0) < old.expires_at - timezone.now() <= DAY
    assert ApiKey.objects.usable().count() == 2


def test_rotation_never_prolongs_the_old_key(tenant):
    soon = timezone.now() + timedelta(hours=1)
    old, _ = ApiKey.objects.issue(tenant=tenant, expires_at=soon)
    old.rotate(overlap=DAY)
    assert old.expires_at == soon


def test_an_ended_key_is_not_rotated(tenant):
    old, _ = ApiKey.objects.issue(tenant=tenant, expires_at=timezone.now() - DAY)
    with pytest.raises(ValidationError, match="expired"):
        old.rotate(overlap=DAY)
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("scope", ["tenant", "admin"])
def test_the_database_ties_scope_to_tenant(tenant, scope):
    wrong = {"tenant": None} if scope == "tenant" else {"tenant": tenant}
    with pytest.raises(IntegrityError, match="api_keys_scope_matches_tenant"), transaction.atomic():
        ApiKey.objects.create(scope=scope, digest="d", prefix="p", **wrong)
