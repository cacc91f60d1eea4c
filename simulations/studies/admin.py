"""Staff look at studies; tenants steer them."""

from django.contrib import admin

from simulations.admin.seen_with_jobs import SeenWithJobsMixin
from simulations.studies.models import Cell, Study
from simulations.telling import in_words


class CellInline(SeenWithJobsMixin, admin.TabularInline):
    model = Cell
    fields = ("name", "variant", "point", "scenario")


@admin.register(Study)
class StudyAdmin(SeenWithJobsMixin, admin.ModelAdmin):
    list_display = ("name_or_id", "tenant", "status", "why", "created_at", "finished_at")
    list_filter = ("status", "tenant", "created_at")
    list_select_related = ("tenant",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "study_id")
    search_help_text = "Name or study id"
    fields = ("study_id", "tenant", "name", "status", "why", "message", "seeds", "created_at", "finished_at")
    readonly_fields = ("why",)
    inlines = (CellInline,)

    @admin.display(description="study", ordering="name")
    def name_or_id(self, study: Study) -> str:
        return study.name or str(study.pk)

    @admin.display(description="reason", ordering="reason")
    def why(self, study: Study) -> str:
        return in_words(study.reason)
