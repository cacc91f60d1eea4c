"""For rows that staff look at and never write."""

from typing import Any

from django.http import HttpRequest


class ReadOnlyMixin:
    """Rows that staff look at and never write."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SeenWithJobsMixin(ReadOnlyMixin):
    """Whoever may see jobs may see these rows."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("simulations.view_job")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
