"""Staff's page of whose tokens are believed."""

from django.contrib import admin

from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin
from tenants.trust.models import TrustedIssuer


@admin.register(TrustedIssuer)
class TrustedIssuerAdmin(FreshRowMixin, ValueHistoryMixin):
    """Deleting one ends the keys that were traded by it."""

    list_display = ("issuer", "tenant", "purpose", "audience", "claims", "role", "last_used_at")
    list_filter = ("purpose", "role")
    list_select_related = ("tenant",)
    search_fields = ("issuer", "tenant__tenant_id")
    search_help_text = "Issuer or tenant"
    show_full_result_count = False
    autocomplete_fields = ("tenant",)
    fields = ("tenant", "purpose", "issuer", "audience", "claims", "role", "created_at", "last_used_at")
    readonly_fields = ("created_at", "last_used_at")
