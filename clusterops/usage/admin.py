"""Staff look at what ran."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, NullIf
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clusterops.usage.budget_form import BudgetForm
from clusterops.usage.budget_models import Budget
from clusterops.usage.ledger import UNITS, LedgerEntry, LedgerTotal, Statement, period_of
from clusterops.usage.models import PodRun
from clusterops.usage.statement_api import page
from clusterops.usage.statements import as_closed
from simulations.admin.seen_with_jobs import SeenWithJobsMixin
from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin
from tenants.plans import billing_today


@admin.register(PodRun)
class PodRunAdmin(SeenWithJobsMixin, admin.ModelAdmin):
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


class ItemFilter(admin.SimpleListFilter):
    """Of the known ones: the ledger is not walked for them."""

    title = parameter_name = "item"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(item, unit.label) for item, unit in UNITS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:
        return queryset.filter(item=self.value()) if self.value() else queryset


@admin.register(LedgerEntry)
class LedgerEntryAdmin(SeenWithJobsMixin, admin.ModelAdmin):
    list_display = ("id", "tenant_name", "period", "day", "item_in_words", "counted", "price", "amount", "source")
    list_filter = (ItemFilter, "day")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("=tenant_name", "=period", "=source", "=job_id")
    search_help_text = "Tenant, month (YYYY-MM), source or job id, whole"
    fields = (
        *("tenant_name", "period", "day", "source", "item_in_words", "counted", "price", "amount", "currency"),
        *("posted_at", "job_id", "corrects", "reason", "actor"),
    )
    readonly_fields = ("item_in_words", "counted")

    @admin.display(description="item", ordering="item")
    def item_in_words(self, entry: LedgerEntry) -> str:
        return UNITS[entry.item].label

    @admin.display(description="quantity", ordering="quantity")
    def counted(self, entry: LedgerEntry) -> str:
        unit = UNITS[entry.item].counted
        return f"{entry.quantity:,} {unit.removesuffix('s') if abs(entry.quantity) == 1 else unit}".strip()


@admin.register(Statement)
class StatementAdmin(SeenWithJobsMixin, admin.ModelAdmin):
    list_display = ("tenant_name", "period", "total", "currency", "closed_at", "printed")
    list_filter = ("period",)
    search_fields = ("tenant_name",)
    show_full_result_count = False
    fields = ("tenant_name", "period", "total", "currency", "closed_at", "sha256", "printed")
    readonly_fields = ("printed",)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.page)
        return [path("<int:pk>/page/", view, name="usage_statement_page"), *super().get_urls()]

    @admin.display(description="to print")
    def printed(self, row: Statement) -> SafeString:
        return format_html('<a href="{}">Page</a>', reverse("admin:usage_statement_page", args=[row.pk]))

    def page(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = get_object_or_404(Statement, pk=pk)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        return page(as_closed(row))


@admin.register(Budget)
class BudgetAdmin(FreshRowMixin, ValueHistoryMixin):
    """Whoever may change tenants' limits may change what they may spend."""

    form = BudgetForm
    list_display = ("tenant", "of_month", "at_most", "used", "on_reach")
    list_filter = ("on_reach",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__tenant_id",)
    fields = ("tenant", "period", ("measure", "limit"), "alert_at", "on_reach")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        month = Coalesce(NullIf("period", Value("")), Value(period_of(billing_today())))
        totals = LedgerTotal.objects.filter(tenant_name=OuterRef("tenant_id"), period=OuterRef("month"), generation=0)
        sums = {name: Subquery(totals.values(name)) for name in ("amount", "cpu_seconds")}
        return super().get_queryset(request).annotate(month=month).annotate(**sums)

    @admin.display(description="month", ordering="period")
    def of_month(self, budget: Budget) -> str:
        return budget.period or "every month"

    @admin.display(description="limit", ordering="limit")
    def at_most(self, budget: Budget) -> str:
        return budget.shown(budget.limit)

    @admin.display(description="used")
    def used(self, budget: Any) -> str:
        known = LedgerTotal(amount=budget.amount or 0, cpu_seconds=budget.cpu_seconds or 0)
        return str(budget.shown(budget.used_of(known)))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tenants.view_tenant")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("tenants.change_tenant")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request)
