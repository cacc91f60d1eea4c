"""Who may call what."""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants.authentication import Principal
from tenants.errors import FOR_TENANTS

if TYPE_CHECKING:  # rest_framework.views itself loads this module
    from rest_framework.views import APIView


class IsTenant(BasePermission):
    """A tenant's key."""

    message = FOR_TENANTS

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, Principal) and request.user.scope == "tenant"


class IsAdmin(BasePermission):
    """An admin's key or a staff session."""

    message = "This address is for admins; use an admin API key or sign in as staff."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, Principal) and request.user.scope == "admin"
