"""Staff's page for tenants' people; owners have their own."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin
from tenants.members import Member


@admin.register(Member)
class MemberAdmin(FreshRowMixin, ValueHistoryMixin):
    """Who belongs to which tenant, in which role."""

    list_display = ("user", "tenant", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "tenant")
    search_fields = ("user__username", "tenant__tenant_id")
    search_help_text = "Name or tenant"
    show_full_result_count = False
    raw_id_fields = ("user",)
    fields = ("tenant", "user", "role")

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        obj.by_groups = False  # given by hand: no sign-in changes it back
        super().save_model(request, obj, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("tenant", "user") if obj else ()
