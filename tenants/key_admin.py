"""A tenant's API keys on its own admin page: issue, rotate, revoke."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from tenants.api_keys import validate_label
from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin, change
from tenants.members import Role
from tenants.models import ApiKey, Tenant

SHOWN_KEYS = 200  # the newest; all are on the keys' own page


class IssueForm(forms.Form):
    label = forms.CharField(
        max_length=100,
        required=False,
        validators=[validate_label],
        help_text="What it is for: “ci”, “the planners' laptop”.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ENGINEER, required=False)
    expires_days = forms.IntegerField(
        label="Expires in days", required=False, min_value=1, max_value=36500, help_text="Empty: never."
    )


class RotateForm(forms.Form):
    overlap_hours = forms.IntegerField(label="Old key works for (hours)", min_value=0, max_value=24 * 365, initial=24)


def show_once(request: HttpRequest, key: str, owner: str) -> None:
    """The only time anyone sees the key: it is not stored."""
    text = "New API key for {}. Copy it now, it is not shown again: <code class='sk-key'>{}</code>"
    messages.success(request, format_html(text, owner, key))


class KeysOnTenantMixin(FreshRowMixin, ValueHistoryMixin):
    """Views below `<tenant>/keys/`, each a POST that leads back to the tenant's page."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        key = "<str:tenant_id>/keys/<int:key_id>"
        return [
            path("<str:tenant_id>/keys/issue/", wrap(self.issue_key), name="tenants_issue_key"),
            path(f"{key}/rotate/", wrap(self.rotate_key), name="tenants_rotate_key"),
            path(f"{key}/revoke/", wrap(self.revoke_key), name="tenants_revoke_key"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        tenant = kwargs.get("obj")
        if tenant and request.user.has_perm("tenants.view_apikey"):
            context |= {
                "api_keys": tenant.api_keys.shown().order_by("-created_at")[:SHOWN_KEYS],
                "issue_form": IssueForm(),
                "may_issue": request.user.has_perm("tenants.add_apikey"),
                "may_revoke": request.user.has_perm("tenants.change_apikey"),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def issue_key(self, request: HttpRequest, tenant_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = self._tenant(request, tenant_id, "tenants.add_apikey")
        form = IssueForm(request.POST)
        if not form.is_valid():
            return self._back(request, tenant, problems=form)
        label, days = form.cleaned_data["label"], form.cleaned_data["expires_days"]
        expires_at = timezone.now() + timedelta(days=days) if days else None
        role = Role(form.cleaned_data["role"] or Role.OWNER)
        row, key = ApiKey.objects.issue(tenant=tenant, label=label, expires_at=expires_at, role=role)
        said = f"API key {row.prefix}…: issued; label: {label or '—'}; role: {role}"
        said += f"; {change('expires_at', None, expires_at)}"
        self.log_change(request, tenant, said)
        show_once(request, key, tenant.tenant_id)
        return self._back(request, tenant)

    def rotate_key(self, request: HttpRequest, tenant_id: str, key_id: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = self._tenant(request, tenant_id, "tenants.add_apikey", "tenants.change_apikey")
        old = get_object_or_404(ApiKey, pk=key_id, tenant=tenant)
        form = RotateForm(request.POST)
        if not form.is_valid():
            return self._back(request, tenant, problems=form)
        before = old.expires_at
        try:
            successor, key = old.rotate(overlap=timedelta(hours=form.cleaned_data["overlap_hours"]))
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return self._back(request, tenant)
        said = f"API key {old.prefix}…: replaced by {successor.prefix}…; {change('expires_at', before, old.expires_at)}"
        self.log_change(request, tenant, said)
        show_once(request, key, tenant.tenant_id)
        ends = f"{old.expires_at:%Y-%m-%d %H:%M} UTC"
        self.message_user(request, f"The old key {old.prefix}… works until {ends}.")
        return self._back(request, tenant)

    def revoke_key(self, request: HttpRequest, tenant_id: str, key_id: int) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        tenant = self._tenant(request, tenant_id, "tenants.change_apikey")
        row = get_object_or_404(ApiKey, pk=key_id, tenant=tenant)
        if row.revoke():
            self.log_change(request, tenant, f"API key {row.prefix}…: revoked")
            self.message_user(request, f"The key {row.prefix}… is refused from now on.")
        else:
            self.message_user(request, f"The key {row.prefix}… was revoked before.", messages.INFO)
        return self._back(request, tenant)

    def _tenant(self, request: HttpRequest, tenant_id: str, *permissions: str) -> Tenant:
        if not request.user.has_perms(permissions):
            raise PermissionDenied
        return get_object_or_404(Tenant, pk=tenant_id)

    def _back(self, request: HttpRequest, tenant: Tenant, *, problems: forms.Form | None = None) -> HttpResponse:
        if problems is not None:
            said = [f"{problems[name].label}: {' '.join(map(str, found))}" for name, found in problems.errors.items()]
            self.message_user(request, " ".join(said), messages.ERROR)
        return redirect(reverse("admin:tenants_tenant_change", args=[tenant.pk], current_app=self.admin_site.name))
