"""Issuers' keys: asked for where they publish them, kept for all processes, and used on while an issuer is away."""

import logging
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from tenants.egress.fetching import Unreachable, fetch
from tenants.errors import ApiError
from tenants.parsers import parse
from tenants.trust.models import IssuerKeys

log = logging.getLogger("tenants.trust")

FRESH_FOR = timedelta(hours=1)
KEPT_FOR = timedelta(hours=24)  # while the issuer is away
ASKED_EVERY = timedelta(seconds=30)  # at most, whoever asks and however many unknown keys are named
MAX_KEYS = 100
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def known(issuer: str, *, kid: str | None = None) -> IssuerKeys:
    """What the issuer says of itself: as kept, or asked anew where that is old or lacks the key `kid`.

    One caller asks, the others go on with what is kept. Only for issuers that somebody here trusts. Raises ApiError
    503 where nothing usable is known.
    """
    now = timezone.now()
    row = IssuerKeys.objects.filter(issuer=issuer).first()
    if row is None:
        row, _ = IssuerKeys.objects.get_or_create(issuer=issuer)
    lacks = kid is not None and all(key.get("kid") != kid for key in row.keys)
    is_old = row.fetched_at is None or now - row.fetched_at > FRESH_FOR
    if lacks or is_old:
        if _is_first(issuer):
            row = _ask(row)
        elif lacks and row.tried_at and (row.fetched_at is None or row.fetched_at < row.tried_at):
            raise _away(issuer)  # it is being asked, or could not be: nobody knows yet whether the key is there
    if row.fetched_at is None or now - row.fetched_at > KEPT_FOR:
        raise _away(issuer)
    return row


def _is_first(issuer: str) -> bool:
    """Whether this caller is the one to ask; the row decides, among all processes."""
    now = timezone.now()
    due = IssuerKeys.objects.filter(Q(tried_at=None) | Q(tried_at__lt=now - ASKED_EVERY), issuer=issuer)
    return bool(due.update(tried_at=now))


def _ask(row: IssuerKeys) -> IssuerKeys:
    try:
        row.discovery, row.keys = read(row.issuer)
        row.fetched_at, row.problem = timezone.now(), ""
    except Unreachable as error:
        row.problem = str(error)[:200]
        log.warning("The issuer %s could not be asked for its keys: %s", row.issuer, error)
    row.save(update_fields=["discovery", "keys", "fetched_at", "problem"])
    return row


def read(issuer: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Its discovery document, of which we keep what we use, and its keys. Raises Unreachable."""
    told = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if told.get("issuer") != issuer:
        raise Unreachable("Its discovery document names another issuer.")
    kept: dict[str, Any] = {name: told[name] for name in ENDPOINTS if isinstance(told.get(name), str)}
    kept["token_endpoint_auth_methods_supported"] = told.get("token_endpoint_auth_methods_supported")
    keys = _json(kept.get("jwks_uri", "")).get("keys")
    if not isinstance(keys, list) or not 1 <= len(keys) <= MAX_KEYS or any(not isinstance(each, dict) for each in keys):
        raise Unreachable(f"Its key set has not from 1 to {MAX_KEYS} keys.")
    return kept, keys


def _json(url: str) -> dict[str, Any]:
    try:
        found = parse(fetch(url))  # bounded, and nothing that PostgreSQL could not keep
    except ValueError:
        raise Unreachable("Its answer is not JSON.") from None
    if not isinstance(found, dict):
        raise Unreachable("Its answer is no JSON object.")
    return found


def _away(issuer: str) -> ApiError:
    message = f"The keys of {issuer} cannot be read at the moment; try again after Retry-After seconds."
    wait = str(int(ASKED_EVERY.total_seconds()))
    return ApiError(503, "token.issuer_away", message, headers={"Retry-After": wait})
