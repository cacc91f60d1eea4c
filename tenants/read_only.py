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
