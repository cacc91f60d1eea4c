"""`Authorization: Bearer <key>` → who is calling. A key belongs to a machine, not to a Django user."""

from dataclasses import dataclass
from typing import Literal

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants import plain_sql
from tenants.models import KEY_FORMAT, ApiKey, Tenant


@dataclass(frozen=True)
class Principal:
    """The caller behind an API key or a staff session: a tenant, or an admin (no tenant)."""

    tenant: Tenant | None
    scope: Literal["tenant", "admin"]
    is_authenticated: bool = True

    @property
    def name(self) -> str:
        return self.tenant.tenant_id if self.tenant else "admin"


def find_key(digest: str) -> ApiKey | None:
    """The key and its tenant, by one query."""
    wanted = f"{plain_sql.columns(ApiKey, 'k')}, {plain_sql.columns(Tenant, 't')}"
    with plain_sql.cursor() as cursor:
        cursor.execute(
            f"SELECT {wanted} FROM api_keys k LEFT JOIN tenants t USING (tenant_id) WHERE k.digest = %s",  # noqa: S608
            [digest],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    width = len(ApiKey._meta.concrete_fields)
    key = plain_sql.row(ApiKey, found[:width])
    key.tenant = plain_sql.row(Tenant, found[width:]) if key.tenant_id else None
    return key


class ApiKeyAuthentication(BaseAuthentication):
    """One query. Missing, malformed, unknown, expired, revoked or an inactive tenant's: the same 401 for all."""

    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        row = None
        if scheme.lower() == "bearer" and KEY_FORMAT.fullmatch(key.strip()):
            row = find_key(ApiKey.digest_of(key.strip()))
        if row is None or not row.is_usable:
            raise AuthenticationFailed
        row.touch()
        return Principal(tenant=row.tenant, scope="tenant" if row.tenant else "admin"), row

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="sumok8"'


class StaffSessionAuthentication(SessionAuthentication):
    """A signed-in staff member acts as an admin; others have no say here. Unsafe methods need the CSRF token."""

    def authenticate(self, request: Request) -> tuple[Principal, None] | None:
        found = super().authenticate(request)
        if found is None or not isinstance(found[0], User) or not found[0].is_staff:
            return None
        return Principal(tenant=None, scope="admin"), None
