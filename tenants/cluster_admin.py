"""Staff's pages for the clusters that simulations run on."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from tenants.clusters import Cluster
from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin
from tenants.marks import badge

BADGES = {Cluster.State.ACTIVE: "ok", Cluster.State.DRAINING: "warn", Cluster.State.DOWN: "bad"}


@admin.register(Cluster)
class ClusterAdmin(FreshRowMixin, ValueHistoryMixin):
    """Rows are never deleted: jobs name them. One that is no longer used is marked as down."""

    list_display = ("name", "region", "shown_state", "kubeconfig", "context", "capacity", "storage")
    list_display_links = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "region", "state")}),
        (
            "How it is reached",
            {
                "fields": ("kubeconfig", "context", "service_url"),
                "description": "Web and reconciler read the file, each with its own rights where each has its own. "
                "After a change here, restart the cluster's reconciler.",
            },
        ),
        ("Room", {"fields": ("capacity", "storage")}),
    )

    @admin.display(description="state", ordering="state")
    def shown_state(self, cluster: Cluster) -> SafeString:
        return badge(BADGES[Cluster.State(cluster.state)], cluster.state)

    def get_readonly_fields(self, request: HttpRequest, obj: Cluster | None = None) -> Any:
        return ("name",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Cluster | None = None) -> bool:
        return False
