"""Staff's pages for jobs."""

import json
import uuid
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from simulations.findings import judged
from simulations.models import Artifact, Job, JobEvent, JobQuerySet
from simulations.services import storage
from simulations.telling import Told, in_words, tell
from simulations.waiting import line_for
from tenants.history import ValueHistoryMixin
from tenants.marks import badge
from tenants.read_only import ReadOnlyMixin

STATUS_BADGES = {"PENDING": "warn", "RUNNING": "info", "SUCCEEDED": "ok", "FAILED": "bad", "CANCELLED": ""}


class EventInline(ReadOnlyMixin, admin.TabularInline):
    model = JobEvent
    fields = ("at", "status_in_words", "reason_in_words", "message", "attempt")
    readonly_fields = ("status_in_words", "reason_in_words")
    verbose_name_plural = "timeline"

    @admin.display(description="status")
    def status_in_words(self, event: JobEvent) -> str:
        return in_words(event.status)

    @admin.display(description="reason")
    def reason_in_words(self, event: JobEvent) -> str:
        return in_words(event.reason)


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
        return [(reason, in_words(reason)) for reason in Job.Reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        reason = self.value()
        return cast(JobQuerySet, queryset).because(reason) if reason else queryset


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
            {
                "fields": (
                    "told_verdict",
                    "status",
                    "told_reason",
                    "told_message",
                    "attempt",
                    "exit_code",
                    "cancel_requested_at",
                )
            },
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
        "told_verdict",
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

    @admin.display(description="verdict")
    def told_verdict(self, job: Job) -> SafeString:
        """In the words and colour of its own page."""
        found = judged(job, tell(job), job.artifacts.filter(attempt=job.attempt))
        sentences = ((each["message"], each.get("hint", "")) for each in found.cautions)
        told = format_html_join("", "<li>{} {}</li>", sentences)
        care = format_html("<p>Read with care:</p><ul>{}</ul>", told) if told else ""
        return format_html("{}{}", badge(found.verdict.kind, found.verdict.headline), care)

    @admin.display(description="why", ordering="reason")
    def why(self, job: Job) -> str:
        return truncatechars(tell(job).message, 70)

    @admin.display(description="reason")
    def told_reason(self, job: Job) -> str:
        return in_words(_told(job).reason)

    @admin.display(description="message")
    def told_message(self, job: Job) -> str:
        return _told(job).message

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
        wished = self.change_many(request, wishes.defer("results"), "asked to end", _request_cancel)
        said = f"Asked {wished} job(s) to end; each ends within seconds."
        if rest := chosen - wished:
            said += f" {rest} had ended or were being cancelled already."
        self.message_user(request, said, messages.SUCCESS if wished else messages.WARNING)


def _told(job: Job) -> Told:
    """Of a page of its own, for which its line may be looked at."""
    return tell(job, line_for(job.tenant, [job]))


def _request_cancel(jobs: Any) -> int:
    return jobs.request_cancel()
