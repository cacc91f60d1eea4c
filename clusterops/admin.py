"""The tenants' admin pages with what the cluster says: whether a tenant's quota is in force there."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from clusterops.models import TenantNamespace
from simulations.tenant_admin import TenantUsageAdmin
from tenants.marks import badge
from tenants.models import Tenant

IN_FORCE, BEHIND, PROBLEM, NONE = "in force", "being applied", "problem", "not needed yet"
BADGES = {IN_FORCE: "ok", BEHIND: "warn", PROBLEM: "bad", NONE: ""}


def quota_state(tenant: Tenant) -> tuple[str, str]:
    """(state, sentence): does the cluster's ResourceQuota have the tenant's limits?"""
    known: TenantNamespace | None = getattr(tenant, "cluster_namespace", None)
    if known is None or not known.applied:
        if known and known.problem:
            return PROBLEM, known.problem
        return NONE, "The namespace and its quota are made with the tenant's first job."
    if known.problem:
        return PROBLEM, known.problem
    behind = [
        f"{name} {known.applied[name]}, not {limit}"
        for name, limit in tenant.limits.items()
        if name in known.applied and known.applied[name] != limit
    ]
    if behind:
        return BEHIND, f"The cluster still has {', '.join(behind)}; the reconciler applies it within seconds."
    since = f" since {known.applied_at:%Y-%m-%d %H:%M:%S} UTC" if known.applied_at else ""
    return IN_FORCE, f"The cluster's quota has these limits{since}."


@admin.register(Tenant)
class TenantClusterAdmin(TenantUsageAdmin):
    list_display = (*TenantUsageAdmin.list_display, "quota")
    list_select_related = ("cluster_namespace",)
    fieldsets = (*TenantUsageAdmin.fieldsets, ("In the cluster", {"fields": ("quota_in_words",)}))
    readonly_fields = (*TenantUsageAdmin.readonly_fields, "quota_in_words")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        return super().get_queryset(request).select_related("cluster_namespace")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.quota_now)
        return [path("<str:tenant_id>/quota/", view, name="tenants_tenant_quota"), *super().get_urls()]

    @admin.display(description="cluster quota", ordering="cluster_namespace__applied_at")
    def quota(self, tenant: Tenant) -> SafeString:
        state, sentence = quota_state(tenant)
        return format_html('<span title="{}">{}</span>', sentence, badge(BADGES[state], state))

    @admin.display(description="quota")
    def quota_in_words(self, tenant: Tenant) -> SafeString:
        """While the cluster is behind, the page asks again every two seconds."""
        state, sentence = quota_state(tenant)
        url = reverse("admin:tenants_tenant_quota", args=[tenant.pk])
        again = format_html(' hx-get="{}" hx-trigger="every 2s" hx-swap="outerHTML"', url) if state == BEHIND else ""
        return format_html(
            '<span id="quota-state" role="status"{}>{} {}</span>', again, badge(BADGES[state], state), sentence
        )

    def quota_now(self, request: HttpRequest, tenant_id: str) -> HttpResponse:
        tenant = get_object_or_404(Tenant.objects.select_related("cluster_namespace"), pk=tenant_id)
        if not self.has_view_permission(request, tenant):
            raise PermissionDenied
        return HttpResponse(self.quota_in_words(tenant))
