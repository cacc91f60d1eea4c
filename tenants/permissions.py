"""Who may call what."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from tenants.authentication import Principal
from tenants.errors import FOR_TENANTS
from tenants.members import Role

if TYPE_CHECKING:  # rest_framework.views itself loads this module
    from rest_framework.views import APIView


class IsTenant(BasePermission):
    """A tenant's key whose role is enough: a viewer's to look, an engineer's to change things. A view may ask for more
    by `role_to_change`."""

    message = FOR_TENANTS

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.user, Principal) or request.user.scope != "tenant":
            return False
        needed = Role.VIEWER if request.method in SAFE_METHODS else getattr(view, "role_to_change", Role.ENGINEER)
        self.message = f"This key's role is {request.user.role}; here it takes {needed} at least."
        return request.user.role.covers(needed)


class IsAdmin(BasePermission):
    """An admin's key or a staff session."""

    message = "This address is for admins; use an admin API key or sign in as staff."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return isinstance(request.user, Principal) and request.user.scope == "admin"
