"""Users, groups and the history, with old and new values."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin
from tenants.read_only import ReadOnlyMixin

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class StaffAdmin(FreshRowMixin, ValueHistoryMixin, UserAdmin):
    """Who has done anything is made inactive, not deleted: the lines of the history would go along."""

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and not LogEntry.objects.filter(user=obj).exists()


@admin.register(Group)
class StaffGroupAdmin(FreshRowMixin, ValueHistoryMixin, GroupAdmin):
    pass


@admin.register(LogEntry)
class HistoryAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Who did what, when, and what it was before. Nobody writes here."""

    list_display = ("action_time", "user", "action", "object_repr", "content_type", "change_message")
    list_display_links = ("action_time",)
    list_filter = ("action_time", "action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__username")
    show_full_result_count = False
    fields = ("action_time", "user", "action", "content_type", "object_repr", "change_message")

    @admin.display(ordering="action_flag")
    def action(self, entry: LogEntry) -> str:
        return entry.get_action_flag_display()
