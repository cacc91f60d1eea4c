"""Staff's pages for plans. Before a plan's new figures are written, the page lists whose limits they change."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin
from tenants.limit_form import LimitsForm
from tenants.limits import field_of
from tenants.models import Plan, PlanAssignment, PlanPrice
from tenants.read_only import ReadOnlyMixin

CONFIRMED = "_confirmed"
LISTED = 100  # tenants on the page


class PriceInline(admin.TabularInline):
    model = PlanPrice
    extra = 1
    fields = ("item", "price", "since", "made_at")
    readonly_fields = ("made_at",)
    verbose_name_plural = "prices: never edited; a later one supersedes"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """A table's cells have no labels of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs["aria-label"] = str(db_field.verbose_name)
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(FreshRowMixin, ValueHistoryMixin):
    form = LimitsForm
    list_display = ("name", "max_cpu", "max_memory_gi", "max_concurrent_jobs", "weight", "having", "description")
    search_fields = ("name",)
    inlines = (PriceInline,)
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        (
            "Limits",
            {
                "fields": Plan.ROWS,
                "description": "A change is shown with all whom it affects before it is saved.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        return super().get_queryset(request).annotate(having_count=Count("tenants"))

    @admin.display(description="tenants", ordering="having_count")
    def having(self, plan: Any) -> int:
        return plan.having_count

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if request.method == "POST" and object_id and CONFIRMED not in request.POST:
            plan = self.get_object(request, object_id)
            if plan is not None and self.has_change_permission(request, plan):
                page = self._affected(request, plan)
                if page is not None:
                    return page
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _affected(self, request: HttpRequest, plan: Plan) -> HttpResponse | None:
        """The page that asks first; None if nobody is affected or the form has errors to show."""
        form = self.get_form(request, plan, change=True)(request.POST, instance=plan)
        if not form.is_valid():
            return None
        affected = form.instance.affected()
        if not affected:
            return None
        rows = [
            {"tenant": tenant, "changes": [(field_of(n).verbose_name, *both) for n, both in limits.items()]}
            for tenant, limits in affected[:LISTED]
        ]
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Change plan {plan}?",
            "plan": plan,
            "rows": rows,
            "more": len(affected) - len(rows),
            "count": len(affected),
            "fields": [(name, value) for name, value in fields if name != "csrfmiddlewaretoken"],
            "confirmed": CONFIRMED,
        }
        return TemplateResponse(request, "admin/tenants/plan/affected.html", context)

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change and (changed := obj.hand_down()):
            self.message_user(request, f"The limits of {changed} tenant(s) follow; running jobs stay.")


@admin.register(PlanAssignment)
class PlanAssignmentAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Who had which plan since when."""

    list_display = ("tenant", "plan", "since", "is_applied", "made_at", "made_by")
    list_filter = ("is_applied", "plan")
    search_fields = ("tenant__tenant_id",)
    list_select_related = ("tenant", "plan")
    show_full_result_count = False
