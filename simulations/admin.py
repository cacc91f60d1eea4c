"""Staff's pages for jobs and scenarios."""

import json
import uuid
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.defaultfilters import truncatechars
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from simulations import files
from simulations.models import Artifact, Job, JobEvent, Scenario
from simulations.services import storage
from simulations.services.curation import delete_version, share_scenario
from simulations.telling import tell
from tenants.errors import ApiError
from tenants.history import ValueHistoryMixin, change
from tenants.marks import badge

SHARED_AT_ONCE = 100
STATUS_BADGES = {"PENDING": "warn", "RUNNING": "info", "SUCCEEDED": "ok", "FAILED": "bad", "CANCELLED": ""}


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


class EventInline(ReadOnlyMixin, admin.TabularInline):
    model = JobEvent
    fields = ("at", "status", "reason", "message", "attempt")
    verbose_name_plural = "timeline"


class ArtifactInline(ReadOnlyMixin, admin.TabularInline):
    model = Artifact
    fields = ("name", "size", "sha256", "attempt", "uploaded_at")
    readonly_fields = ("size",)
    verbose_name_plural = "result files"

    @admin.display(description="size")
    def size(self, artifact: Artifact) -> str:
        return storage.size(artifact.size_bytes)


class ReasonFilter(admin.SimpleListFilter):
    """Of the table of endings, so that the rows are not asked which they have."""

    title = "reason"
    parameter_name = "reason__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(reason, reason) for reason in Job.Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(Job)
class JobAdmin(ReadOnlyMixin, ValueHistoryMixin):
    list_display = ("short_id", "owner", "scenario_name", "shown_status", "why", "asked", "submitted_at", "page")
    list_filter = ("status", "submitted_at", "tenant", ReasonFilter, "cluster")
    list_per_page = 20
    show_full_result_count = False
    search_help_text = "Job id, scenario, label or label=value"
    search_fields = ("asked_for", "labels_text")
    ordering = ("-submitted_at", "-job_id")
    actions = ("cancel",)
    inlines = (EventInline, ArtifactInline)
    fieldsets = (
        (None, {"fields": ("job_id", "page", "tenant", "scenario_name", "labels")}),
        (
            "State",
            {"fields": ("shown_status", "told_reason", "told_message", "attempt", "exit_code", "cancel_requested_at")},
        ),
        ("Times", {"fields": (("submitted_at", "dispatched_at"), ("started_at", "finished_at"), "observed_at")}),
        (
            "Cluster",
            {
                "fields": (
                    ("cpu_request", "memory_gi"),
                    "cluster",
                    "k8s_namespace",
                    "k8s_job_name",
                    "pod_name",
                    "node_name",
                )
            },
        ),
        ("Request and results", {"classes": ("collapse",), "fields": ("request_text", "results_text")}),
    )
    readonly_fields = (
        "page",
        "scenario_name",
        "shown_status",
        "told_reason",
        "told_message",
        "request_text",
        "results_text",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return (
            super()
            .get_queryset(request)
            .annotate(asked_for=KT("scenario_data__scenario_id"), labels_text=Cast("labels", TextField()))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        term = search_term.strip()
        try:
            return queryset.filter(job_id=uuid.UUID(term)), False
        except ValueError:
            pass
        name, is_label, value = term.partition("=")
        if is_label:
            return queryset.filter(labels__contains={name.strip(): value.strip()}), False
        found = Q(asked_for__icontains=term) | Q(labels_text__icontains=term)
        if set(term) <= set("0123456789abcdefABCDEF-"):
            queryset = queryset.annotate(id_text=Cast("job_id", TextField()))
            found |= Q(id_text__startswith=term.lower())
        return (queryset.filter(found) if term else queryset), False

    @admin.display(description="job", ordering="job_id")
    def short_id(self, job: Job) -> str:
        return str(job.job_id)[:13]

    @admin.display(description="tenant", ordering="tenant")
    def owner(self, job: Job) -> str:
        return job.tenant_id

    @admin.display(description="scenario", ordering="asked_for")
    def scenario_name(self, job: Any) -> str:
        return job.asked_for or "—"

    @admin.display(description="status", ordering="status")
    def shown_status(self, job: Job) -> SafeString:
        return badge(STATUS_BADGES[job.status], job.status.capitalize())

    @admin.display(description="why", ordering="reason")
    def why(self, job: Job) -> str:
        return truncatechars(tell(job).message, 70)

    @admin.display(description="reason")
    def told_reason(self, job: Job) -> str:
        return tell(job).reason

    @admin.display(description="message")
    def told_message(self, job: Job) -> str:
        return tell(job).message

    @admin.display(description="asked for", ordering="cpu_request")
    def asked(self, job: Job) -> str:
        return f"{job.cpu_request} CPU, {job.memory_gi} Gi"

    @admin.display(description="live page")
    def page(self, job: Job) -> SafeString:
        return format_html('<a href="/cluster/jobs/{}/">Watch</a>', job.pk)

    @admin.display(description="request")
    def request_text(self, job: Job) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(job.scenario_data, indent=2, ensure_ascii=False))

    @admin.display(description="results")
    def results_text(self, job: Job) -> SafeString | str:
        return (
            format_html("<pre>{}</pre>", json.dumps(job.results, indent=2, ensure_ascii=False)) if job.results else "—"
        )

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("simulations.cancel_job"))

    @admin.action(description="Cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Writes the wish; the reconciler makes it real. However many are chosen, few rows are read."""
        chosen = queryset.count()
        wishes = queryset.filter(status__in=Job.ACTIVE, cancel_requested_at=None)
        said = change("cancel_requested_at", None, timezone.now())
        wished = self.change_many(request, wishes.defer("results"), said, _request_cancel)
        said = f"Asked {wished} job(s) to end; each ends within seconds."
        if rest := chosen - wished:
            said += f" {rest} had ended or were being cancelled already."
        self.message_user(request, said, messages.SUCCESS if wished else messages.WARNING)


def _request_cancel(jobs: Any) -> int:
    return jobs.request_cancel()


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
