"""Whoever may see jobs may see these rows; nobody writes them."""

from typing import Any

from django.http import HttpRequest

from tenants.read_only import ReadOnlyMixin


class SeenWithJobsMixin(ReadOnlyMixin):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("simulations.view_job")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
