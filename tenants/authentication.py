"""`Authorization: Bearer <key>` → who is calling. A key belongs to a machine, not to a Django user."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants import plain_sql, throttling
from tenants.api_keys import KEY_FORMAT
from tenants.members import Role
from tenants.models import ApiKey, Tenant
from tenants.throttling import Count

TOO_MANY = "Too many requests with keys of this tenant; try again after Retry-After seconds."


@dataclass(frozen=True)
class Principal:
    """The caller behind an API key or a staff session: a tenant, or an admin (no tenant)."""

    tenant: Tenant | None
    scope: Literal["tenant", "admin"]
    role: Role = Role.OWNER
    is_authenticated: bool = True

    @property
    def name(self) -> str:
        return self.tenant.tenant_id if self.tenant else "admin"


class Own(NamedTuple):
    """A row that is fetched together with the caller's key: the one of that primary `key`, if it is of its tenant.

    `beside`: more about it, in SQL, where it is called `o`.
    """

    model: type[Model]
    key: Any
    beside: str


@dataclass(frozen=True)
class FoundKey:
    """What the database says about a key. `row` is None for one that it does not know; `count` where one is kept; `own`
    is the row that was asked for with it, and `beside` what was asked for beside it."""

    row: ApiKey | None
    usable: bool
    count: Count | None
    own: Model | None = None
    beside: Any = None


def find_key(digest: str, *, address: str, own: Own | None = None) -> FoundKey:
    """The key, its tenant and the rate limit's count, by one statement.

    A usable key counts for its tenant (an admin's for itself), any other for the caller's address. It is looked up
    either way: however many wrong keys come from an address, a right one from there is taken.
    """
    strangers = throttling.of_failed_keys()
    asked: dict[str, Any] = {
        "digest": digest,
        "per_minute": settings.RATE_LIMIT_PER_MINUTE,
        "burst": settings.RATE_LIMIT_BURST,
        "address": throttling.bucket_of_address(address) if strangers else None,
        "address_step": strangers.step,
        "address_room": strangers.room,
        "own": own.key if own else None,
    }
    with plain_sql.cursor() as cursor:
        cursor.execute(_find_statement(own and own.model, own.beside if own else ""), asked)
        usable, now, before, moved, made, *values = cursor.fetchone()
    key = None
    widths = (len(ApiKey._meta.concrete_fields), len(Tenant._meta.concrete_fields))
    if values[0] is not None:
        key = plain_sql.row(ApiKey, values[: widths[0]])
        key.tenant = plain_sql.row(Tenant, values[widths[0] : sum(widths)]) if key.tenant_id else None
    *its, beside = values[sum(widths) :] if own else [None, None]
    limit = throttling.of_tenant(key.tenant) if key and usable else strangers
    counted = Count.of(limit, (now, before, moved, made)) if limit else None
    found = plain_sql.row(own.model, its) if own and its[0] is not None else None
    return FoundKey(row=key, usable=usable, count=counted, own=found, beside=beside)


@cache
def _find_statement(own: type[Model] | None, beside: str) -> str:
    """`usable` repeats the rule of `ApiKeyQuerySet.usable`."""
    columns = f"{plain_sql.columns(ApiKey, 'k')}, {plain_sql.columns(Tenant, 't')}"
    fields = [field.column for field in (*ApiKey._meta.concrete_fields, *Tenant._meta.concrete_fields)]
    names = ", ".join(f"c{n}" for n in range(len(fields)))
    shown, joined = names, ""
    if own:
        shown = f"{names}, {plain_sql.columns(own, 'o')}, {beside}"
        joined = (
            f'LEFT JOIN "{own._meta.db_table}" o ON verdict.usable AND o.{own._meta.pk.column} = %(own)s'
            f" AND o.tenant_id = found.c{fields.index('tenant_id')}"
        )
    return f"""
WITH found ({names}, usable, bucket, per_minute, burst) AS MATERIALIZED (
  SELECT {columns},
    k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND (t.is_active OR k.tenant_id IS NULL),
    CASE WHEN k.tenant_id IS NULL THEN 'key:' || k.id ELSE 'tenant:' || k.tenant_id END,
    {throttling.OWN_LIMIT}
  FROM api_keys k LEFT JOIN tenants t USING (tenant_id) WHERE k.digest = %(digest)s
), verdict AS (
  SELECT coalesce((SELECT usable FROM found), false) AS usable
), own AS (
  SELECT bucket, burst, greatest('1 microsecond', interval '1 minute' / greatest(1, per_minute)) AS step
  FROM found WHERE per_minute > 0
), asked AS (
  SELECT
    CASE WHEN usable THEN (SELECT bucket FROM own) ELSE %(address)s::text END AS bucket,
    CASE WHEN usable THEN (SELECT step FROM own) ELSE %(address_step)s::interval END AS step,
    CASE WHEN usable THEN (SELECT step * (burst - 1) FROM own) ELSE %(address_room)s::interval END AS room
  FROM verdict
), {throttling.COUNTING}
SELECT verdict.usable, {throttling.COUNTED}, {shown} FROM verdict LEFT JOIN found ON true {joined}
"""  # noqa: S608 - names of our own


def key_of(request: HttpRequest, own: Own | None = None) -> FoundKey | None:
    """The key that the header names, looked up and counted once for each request; None if it names none."""
    if not hasattr(request, "found_key"):
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        named = scheme.lower() == "bearer" and KEY_FORMAT.fullmatch(key.strip())
        address = request.META.get("REMOTE_ADDR", "")
        found = find_key(ApiKey.digest_of(key.strip()), address=address, own=own) if named else None
        request.found_key = found  # type: ignore[attr-defined]
    return request.found_key  # type: ignore[attr-defined]


class ApiKeyAuthentication(BaseAuthentication):
    """One statement. Missing, malformed, unknown, expired, revoked or an inactive tenant's: the same 401 for all, and
    429 for more of them, or of good ones, than the rate limits allow."""

    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        if not request.headers.get("Authorization", "").partition(" ")[0]:
            return None
        found = key_of(request._request)
        if found is None:
            raise AuthenticationFailed
        if found.row is None or not found.usable:
            if found.count and not found.count.allowed:
                raise found.count.refusal(
                    "Too many keys that are not valid came from your address; wait, then check yours."
                )
            raise AuthenticationFailed
        if found.count:
            # `sumok8.middleware.RateLimitHeadersMiddleware` sends it with the answer.
            request._request.rate_limit = found.count.headers  # type: ignore[attr-defined]
            if not found.count.allowed:
                raise found.count.refusal(TOO_MANY)
        found.row.touch()
        tenant = found.row.tenant
        scope: Literal["tenant", "admin"] = "tenant" if tenant else "admin"
        return Principal(tenant=tenant, scope=scope, role=Role(found.row.role)), found.row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="sumok8"'


class StaffSessionAuthentication(SessionAuthentication):
    """A signed-in staff member acts as an admin; others have no say here. Unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        found = super().authenticate(request)
        if found is None or not isinstance(found[0], User) or not found[0].is_staff:
            return None
        return Principal(tenant=None, scope="admin"), None
