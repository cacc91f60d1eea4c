"""Staff look at studies; tenants steer them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from simulations.admin import ReadOnlyMixin
from simulations.studies.models import Cell, Study


class LookMixin(ReadOnlyMixin):
    """Whoever may see jobs may see studies."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("simulations.view_job")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class CellInline(LookMixin, admin.TabularInline):
    model = Cell
    fields = ("name", "variant", "point", "scenario")


@admin.register(Study)
class StudyAdmin(LookMixin, admin.ModelAdmin):
    list_display = ("name_or_id", "tenant", "status", "reason", "created_at", "finished_at")
    list_filter = ("status", "tenant", "created_at")
    list_select_related = ("tenant",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "study_id")
    search_help_text = "Name or study id"
    fields = ("study_id", "tenant", "name", "status", "reason", "message", "seeds", "created_at", "finished_at")
    inlines = (CellInline,)

    @admin.display(description="study", ordering="name")
    def name_or_id(self, study: Study) -> str:
        return study.name or str(study.pk)
