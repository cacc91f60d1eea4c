"""Staff look at what ran."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from clusterops.usage.models import PodRun
from simulations.admin import ReadOnlyMixin


@admin.register(PodRun)
class PodRunAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = (
        "tenant_name",
        "cpu",
        "memory_gi",
        "started_at",
        "ended_at",
        "lasted",
        "ending",
        "billable",
        "pod_name",
    )
    list_filter = ("billable", "ended_at")  # a filter of every value that a column has would walk the whole table
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("job_id", "pod_name", "tenant_name", "scenario_id")
    search_help_text = "Job id, pod, tenant or scenario"
    list_display_links = ("tenant_name", "pod_name")
    date_hierarchy = "ended_at"
    fields = (
        *("job_id", "attempt", "pod_name", "node_name", "tenant_name", "scenario_id", "labels", "cpu", "memory_gi"),
        *("started_at", "ended_at", "end_is_estimate", "lasted", "ending", "billable", "because"),
    )
    readonly_fields = ("lasted", "because")

    @admin.display(description="lasted")
    def lasted(self, run: PodRun) -> timedelta | str:
        return run.duration if run.duration is not None else "runs"

    @admin.display(description="why")
    def because(self, run: PodRun) -> str:
        return run.why

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("simulations.view_job")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)
