"""Keys that are about to expire are told to their tenants, once for each end."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from simulations.models import Notice
from tenants.models import ApiKey

BEFORE = timedelta(days=7)
BATCH = 500


@transaction.atomic
def tell_expiring_keys() -> int:
    """Write the notices, BATCH at most, and that they are written; how many. A key whose successor is there already
    is told of no more."""
    now = timezone.now()
    successor = ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=OuterRef("expires_at")),
        tenant=OuterRef("tenant"),
        label=OuterRef("label"),
        revoked_at=None,
        created_at__gt=OuterRef("created_at"),
    )
    soon = (
        ApiKey.objects.usable()
        .lasting()
        .select_related("tenant")
        .filter(~Exists(successor), tenant__isnull=False, expires_at__lte=now + BEFORE)
        .filter(expires_at__gt=F("created_at") + BEFORE)  # one made for a few days is no surprise
    )
    untold = soon.filter(Q(expiry_told_for=None) | ~Q(expiry_told_for=F("expires_at")))
    keys = list(untold.select_for_update(of=("self",), skip_locked=True).order_by("expires_at")[:BATCH])
    Notice.objects.bulk_create(_notice(key) for key in keys)
    ApiKey.objects.filter(pk__in=[key.pk for key in keys]).update(expiry_told_for=F("expires_at"))
    return len(keys)


def _notice(key: Any) -> Notice:
    ends = key.expires_at.isoformat() if key.expires_at else None
    data = {"prefix": key.prefix, "label": key.label, "expires_at": ends}
    return Notice(tenant=key.tenant, kind=Notice.Kind.KEY_EXPIRING, data=data, awaits_mail=True)
