"""Staff see where tenants are told and what came of it."""

from django.contrib import admin

from simulations.admin.seen_with_jobs import SeenWithJobsMixin
from simulations.webhooks.models import Delivery, Endpoint


@admin.register(Endpoint)
class EndpointAdmin(SeenWithJobsMixin, admin.ModelAdmin):
    list_display = ("url", "tenant", "is_active", "disabled_because", "failing_since", "created_at")
    list_filter = ("is_active", "tenant")
    list_select_related = ("tenant",)
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("url",)
    fields = (
        *("endpoint_id", "tenant", "url", "events", "is_active", "disabled_because", "failing_since"),
        *("secret_version", "rotated_at", "created_at"),
    )


@admin.register(Delivery)
class DeliveryAdmin(SeenWithJobsMixin, admin.ModelAdmin):
    list_display = ("kind", "endpoint", "state", "tries", "last_status", "last_problem", "last_tried_at", "next_try_at")
    list_filter = ("state", "endpoint__tenant")
    list_select_related = ("endpoint", "notice")
    list_per_page = 50
    show_full_result_count = False
    fields = (
        *("kind", "endpoint", "notice", "state", "tries", "created_at", "next_try_at", "leased_until"),
        *("last_tried_at", "last_status", "last_problem"),
    )
    readonly_fields = ("kind",)

    @admin.display(description="event")
    def kind(self, delivery: Delivery) -> str:
        return delivery.notice.kind
