"""Staff's pages for scenarios."""

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from simulations import files
from simulations.models import Job, Scenario
from simulations.services import storage
from simulations.services.curation import delete_version, share_scenario
from tenants.errors import ApiError
from tenants.history import ValueHistoryMixin
from tenants.marks import badge

SHARED_AT_ONCE = 100


class SharedFilter(admin.SimpleListFilter):
    title = "shared"
    parameter_name = "shared"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "with all tenants"), ("no", "a tenant's own")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Scenario]) -> QuerySet[Scenario]:
        return queryset.filter(tenant__isnull=self.value() == "yes") if self.value() in {"yes", "no"} else queryset


@admin.register(Scenario)
class ScenarioAdmin(ValueHistoryMixin):
    """Versions are immutable: they are looked at, downloaded, shared and deleted, never edited."""

    list_display = ("__str__", "owner", "size", "config", "active_jobs", "uploaded_at", "download")
    list_filter = (SharedFilter, "uploaded_at", "tenant")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("scenario_id", "tenant__tenant_id", "sha256")
    search_help_text = "Scenario, tenant or SHA-256"
    actions = ("share",)
    fields = (
        "scenario_id",
        "version",
        "owner",
        "config",
        "size",
        "sha256",
        "uploaded_at",
        "active_jobs",
        "download",
        "found",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Scenario]:
        active = Count("jobs", filter=Q(jobs__status__in=Job.ACTIVE))
        return super().get_queryset(request).annotate(active_jobs=active)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.send_file)
        return [path("<int:pk>/download/", view, name="simulations_scenario_download"), *super().get_urls()]

    @admin.display(description="owner", ordering="tenant")
    def owner(self, scenario: Scenario) -> str | SafeString:
        return scenario.tenant_id or badge("info", "shared")

    @admin.display(description="size", ordering="size_bytes")
    def size(self, scenario: Scenario) -> str:
        return storage.size(scenario.size_bytes)

    @admin.display(description="active jobs", ordering="active_jobs")
    def active_jobs(self, scenario: Any) -> int:
        return scenario.active_jobs

    @admin.display(description="zip")
    def download(self, scenario: Scenario) -> SafeString:
        url = reverse("admin:simulations_scenario_download", args=[scenario.pk])
        return format_html('<a href="{}">Download</a>', url)

    @admin.display(description="what was found inside")
    def found(self, scenario: Scenario) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(scenario.inspection, indent=2, ensure_ascii=False))

    def send_file(self, request: HttpRequest, pk: int) -> FileResponse | HttpResponse:
        """The zip, streamed through the storage, or a link into it."""
        scenario = get_object_or_404(Scenario, pk=pk)
        if not self.has_view_permission(request, scenario):
            return HttpResponse("You may not download scenarios.", status=403)
        name = f"{scenario.scenario_id}-v{scenario.version}.zip"
        if link := files.download_link(str(scenario.file), name):
            return HttpResponseRedirect(link)
        try:
            return FileResponse(files.open_file(str(scenario.file)), as_attachment=True, filename=name)
        except FileNotFoundError:
            self.message_user(request, f"The file of {scenario} is not in storage any more.", messages.ERROR)
            return redirect("admin:simulations_scenario_change", pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Scenarios come through POST /scenarios or `manage.py load_scenario`, which check them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Scenario | None = None) -> bool:
        return False

    def has_share_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("simulations.change_scenario"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Each deletion asks whether a job needs the version, so they are deleted one at a time."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        scenario = self.get_object(request, object_id)
        if scenario and self.has_delete_permission(request) and scenario.active_jobs:
            said = f"{scenario.active_jobs} job(s) that have not ended use {scenario}; cancel them or wait."
            self.message_user(request, said, messages.ERROR)
            return redirect("admin:simulations_scenario_change", object_id)
        try:
            return super().delete_view(request, object_id, extra_context)
        except ApiError as error:  # a job came between the look and the deed; Django took its entry back
            self.message_user(request, error.message, messages.ERROR)
            return redirect("admin:simulations_scenario_change", object_id)

    def delete_model(self, request: HttpRequest, obj: Scenario) -> None:
        delete_version(scenario=obj)

    @admin.action(description="Share with all tenants", permissions=["share"])
    def share(self, request: HttpRequest, queryset: QuerySet[Scenario]) -> None:
        own = list(queryset.exclude(tenant=None).defer("inspection")[: SHARED_AT_ONCE + 1])
        if len(own) > SHARED_AT_ONCE:
            said = f"At most {SHARED_AT_ONCE} at a time are shared; choose fewer."
            self.message_user(request, said, messages.ERROR)
            return
        for scenario in own:
            shared, is_new = share_scenario(scenario=scenario)
            if is_new:
                self.log_change(request, scenario, f"shared with all tenants as {shared}")
                self.log_addition(request, shared, f"shared from {scenario} of {scenario.tenant_id}")
                self.message_user(
                    request, f"{scenario} of {scenario.tenant_id} is shared with all tenants as {shared}."
                )
            else:
                self.message_user(request, f"{scenario} is shared already, as {shared}.", messages.INFO)
