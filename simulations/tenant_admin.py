"""The tenants' admin pages with what this room knows: usage against limits, and the jobs behind it."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Count, FilteredRelation, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from simulations.models import Job
from simulations.services.storage import Use, size, uses_of
from tenants import marks
from tenants.admin import TenantAdmin
from tenants.models import Tenant

STARTED = Q(now__dispatched_at__isnull=False)


def meter(used: int, limit: int, name: str, unit: str = "") -> SafeString:
    """`4 / 10 Gi` over a bar."""
    unit = unit and f" {unit}"
    bar = marks.meter(used, limit, f"{name}: {used} of {limit}{unit}")
    return format_html('<span class="sk-use">{} / {}{}</span>{}', used, limit, unit, bar)


def _kept(use: Use) -> SafeString:
    used, limit = size(use.used_bytes), size(use.limit_bytes)
    bar = marks.meter(use.used_bytes, use.limit_bytes, f"Kept {use.kind}: {used} of {limit}")
    return format_html('<span class="sk-use">{} / {}</span>{}', used, limit, bar)


class TenantUsageAdmin(TenantAdmin):
    list_display: Any = ("tenant_id", "cpu_used", "memory_used", "jobs_started", "jobs_queued", "state")
    actions: Any = (*TenantAdmin.actions, "cancel_jobs")
    fieldsets: ClassVar[Any] = (
        *TenantAdmin.fieldsets,
        ("Now in use", {"fields": (("cpu_used", "memory_used"), "jobs_started", ("results_kept", "scenarios_kept"))}),
    )
    readonly_fields: ClassVar[Any] = ("cpu_used", "memory_used", "jobs_started", "results_kept", "scenarios_kept")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        """One join over the active jobs alone: a started job counts, a queued one waits."""
        return (
            super()
            .get_queryset(request)
            .annotate(now=FilteredRelation("jobs", condition=Q(jobs__status__in=Job.ACTIVE)))
            .annotate(
                used_cpu=Coalesce(Sum("now__cpu_request", filter=STARTED), 0),
                used_memory_gi=Coalesce(Sum("now__memory_gi", filter=STARTED), 0),
                started=Count("now", filter=STARTED),
                queued=Count("now", filter=Q(now__dispatched_at=None)),
            )
        )

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """A tenant that is only being made uses nothing yet."""
        return super().get_fieldsets(request, obj) if obj else self.with_home(TenantAdmin.fieldsets)

    @admin.display(description="CPU", ordering="used_cpu")
    def cpu_used(self, tenant: Any) -> SafeString:
        return meter(tenant.used_cpu, tenant.max_cpu, "CPU")

    @admin.display(description="memory", ordering="used_memory_gi")
    def memory_used(self, tenant: Any) -> SafeString:
        return meter(tenant.used_memory_gi, tenant.max_memory_gi, "Memory", "Gi")

    @admin.display(description="running jobs", ordering="started")
    def jobs_started(self, tenant: Any) -> SafeString:
        return meter(tenant.started, tenant.max_concurrent_jobs, "Running jobs")

    @admin.display(description="results kept")
    def results_kept(self, tenant: Tenant) -> SafeString:
        return _kept(uses_of(tenant.pk)[0])

    @admin.display(description="scenarios kept")
    def scenarios_kept(self, tenant: Tenant) -> SafeString:
        return _kept(uses_of(tenant.pk)[1])

    @admin.display(description="queued", ordering="queued")
    def jobs_queued(self, tenant: Any) -> str | SafeString:
        if not tenant.queued:
            return "0"
        url = reverse("admin:simulations_job_changelist")
        query = f"tenant__tenant_id__exact={tenant.pk}&status__exact=PENDING"
        return format_html('<a href="{}?{}">{}</a>', url, query, tenant.queued)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """No button for what would be refused; see `delete_view`."""
        tenant = kwargs.get("obj")
        context["show_delete"] = tenant is not None and not Job.objects.filter(tenant=tenant).exists()
        return super().render_change_form(request, context, *args, **kwargs)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("simulations.cancel_job"))

    @admin.action(description="Cancel all jobs", permissions=["cancel"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        cancelled = 0
        for tenant in queryset:
            wished = Job.objects.filter(tenant=tenant).request_cancel()
            if wished:
                self.log_same_change(request, [tenant], f"cancelled all jobs: {wished}")
            cancelled += wished
        self.message_user(request, f"Asked {cancelled} job(s) to end; each ends within seconds.")

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and set(form.changed_data) & set(Tenant.LIMITS):
            self._explain(request, obj)

    def _explain(self, request: HttpRequest, tenant: Tenant) -> None:
        """What a lower limit means for the jobs there are."""
        now: Any = self.get_queryset(request).get(pk=tenant.pk)
        over = [
            f"{used} {unit} against a limit of {limit}"
            for used, limit, unit in (
                (now.used_cpu, now.max_cpu, "CPU"),
                (now.used_memory_gi, now.max_memory_gi, "Gi"),
                (now.started, now.max_concurrent_jobs, "jobs"),
            )
            if used > limit
        ]
        if over:
            said = f"Tenant {tenant} now runs {', '.join(over)}."
            after = "Its running jobs stay; new ones start once enough have ended."
            self.message_user(request, f"{said} {after}", messages.WARNING)
        unfit = Job.objects.queued().filter(
            Q(cpu_request__gt=now.max_cpu) | Q(memory_gi__gt=now.max_memory_gi), tenant=tenant
        )
        if count := unfit.count():
            said = f"{count} queued job(s) ask for more than the limits now allow: raise the limits or cancel them."
            self.message_user(request, said, messages.WARNING)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        count = Job.objects.filter(tenant=object_id).count()
        if count and self.has_delete_permission(request):
            said = (
                f"Tenant {object_id} has {count} job(s) and cannot be deleted here. Make it inactive to refuse its "
                f"keys and keep everything, or let an operator remove it with `manage.py offboard_tenant {object_id}`."
            )
            self.message_user(request, said, messages.ERROR)
            return redirect("admin:tenants_tenant_change", object_id)
        return super().delete_view(request, object_id, extra_context)
