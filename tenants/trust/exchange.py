"""A token of a trusted issuer becomes an API key that ends in a quarter of an hour."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from tenants import throttling
from tenants.errors import ApiError
from tenants.members import Role
from tenants.models import ApiKey
from tenants.trust import tokens
from tenants.trust.models import TrustedIssuer, UsedToken
from tenants.trust.tokens import Token, refused

log = logging.getLogger("tenants.trust")

LIVES_FOR = timedelta(minutes=15)
REMEMBERED_FOR = timedelta(days=7)  # ended keys, for those who ask who it was
MAX_USABLE = 1000  # of one tenant
SWEPT = 200  # rows of those that ended, by each exchange: more than it makes
ROLES = list(Role)


@dataclass(frozen=True)
class Traded:
    """The key in clear text, this once."""

    key: str
    row: ApiKey


def trade(text: str, *, tenant_id: str, address: str) -> Traded:
    """The key of what the token's issuer is trusted with; `tenant_id` where that is more than one tenant.

    Tokens that are refused count for the caller's address as wrong API keys do. Raises ApiError 400, 401, 429, 503.
    """
    try:
        token, trust = _believed(text, tenant_id)
    except ApiError as error:
        limit = throttling.of_failed_keys()
        if error.status_code == 401 and limit:
            counted = throttling.count(throttling.bucket_of_address(address), limit)
            if not counted.allowed:
                raise counted.refusal(
                    "Too many tokens that are not valid came from your address; wait, then check yours."
                ) from None
        raise
    limit = throttling.of_tenant(trust.tenant)
    if limit and not (counted := throttling.count(f"tenant:{trust.tenant_id}", limit)).allowed:
        raise counted.refusal("Too many requests of this tenant; try again after Retry-After seconds.")
    traded = _issue(token, trust)
    sweep()
    log.info("Token of %s traded for the key %s of %s", token.issuer, traded.row.prefix, trust.tenant_id)
    return traded


def _believed(text: str, tenant_id: str) -> tuple[Token, TrustedIssuer]:
    issuer = tokens.issuer_of(text)
    trusts = TrustedIssuer.objects.filter(
        issuer=issuer, purpose=TrustedIssuer.Purpose.PROGRAMS, tenant__is_active=True
    ).select_related("tenant")
    if tenant_id:
        trusts = trusts.filter(tenant=tenant_id)
    audiences = set(trusts.order_by().values_list("audience", flat=True).distinct())
    if not audiences:
        raise refused("untrusted", "No tenant trusts its issuer.")
    token = tokens.verify(text, issuer=issuer, audiences=audiences)
    # All of them, as many as the operator made: only what its issuer signed costs this.
    fit = [row for row in trusts.filter(audience__in=token.audiences) if row.matches(token.claims)]
    if not fit:
        raise refused("untrusted", "Its claims are not those that are trusted.")
    if UsedToken.objects.filter(digest=token.digest).exists():  # before it costs the tenant: others may have a copy
        raise _used()
    if len({row.tenant_id for row in fit}) > 1:
        raise ApiError(400, "token.ambiguous", "Several tenants trust this token; name one by `audience`.")
    return token, max(fit, key=lambda row: ROLES.index(Role(row.role)))


@transaction.atomic
def _issue(token: Token, trust: TrustedIssuer) -> Traded:
    now = timezone.now()
    trust.tenant.lock()
    traded = ApiKey.objects.filter(tenant=trust.tenant_id, trust__isnull=False, expires_at__gt=now, revoked_at=None)
    if traded.count() >= MAX_USABLE:
        message = f"{MAX_USABLE} short-lived keys of this tenant are usable already; use one for longer."
        raise ApiError(429, "keys.too_many", message, headers={"Retry-After": "60"})
    _, is_new = UsedToken.objects.get_or_create(digest=token.digest, defaults={"expires_at": token.ends})
    if not is_new:
        raise _used()
    said = f"token: {token.subject}"
    row, key = ApiKey.objects.issue(
        tenant=trust.tenant, label=said[:100], expires_at=now + LIVES_FOR, role=Role(trust.role), trust=trust
    )
    TrustedIssuer.objects.filter(pk=trust.pk).update(last_used_at=now)
    return Traded(key, row)


def _used() -> ApiError:
    return refused("used", "It was used before; ask the issuer for another one.")


@transaction.atomic
def sweep() -> None:
    """Forget some of what has ended: each exchange takes more away than it brings. None waits for another's sweep."""
    now = timezone.now()
    spent = UsedToken.objects.filter(expires_at__lt=now).order_by("expires_at")
    ended = ApiKey.objects.filter(trust__isnull=False, expires_at__lt=now - REMEMBERED_FOR).order_by("expires_at")
    for model, rows in ((UsedToken, spent), (ApiKey, ended)):
        some = rows.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:SWEPT]
        model.objects.filter(pk__in=list(some)).delete()
