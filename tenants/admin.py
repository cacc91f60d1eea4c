"""Staff's pages for tenants and keys. Rooms above add what they know: usage, jobs, the cluster's quota."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import DateTimeField, ForeignKey, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString

from tenants.cluster_admin import ClusterAdmin
from tenants.clusters import Cluster
from tenants.fresh_rows import FreshRowMixin
from tenants.history import ValueHistoryMixin, change
from tenants.key_admin import KeysOnTenantMixin, show_once
from tenants.limit_form import LimitsForm
from tenants.limits import SHARE, field_of
from tenants.marks import badge
from tenants.member_admin import MemberAdmin
from tenants.members import Role
from tenants.models import ApiKey, PlanAssignment, Tenant
from tenants.plan_admin import PlanAdmin, PlanAssignmentAdmin
from tenants.plans import billing_today
from tenants.trust.admin import TrustedIssuerAdmin

__all__ = [
    "ApiKeyAdmin",
    "ClusterAdmin",
    "MemberAdmin",
    "PlanAdmin",
    "PlanAssignmentAdmin",
    "TenantAdmin",
    "TrustedIssuerAdmin",
]
NAMED = 20  # rows in a message
HOME = (
    "Home",
    {
        "fields": ("cluster", "allowed_regions"),
        "description": "The cluster where its jobs run. The command move_tenant gives it another one.",
    },
)
LIMIT_ROWS = tuple(row for row in Tenant.ROWS if row != SHARE)


class TenantForm(LimitsForm):
    follow_plan = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Follow the plan again",
        help_text="These are its own at present; a ticked one takes the plan's figure.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("follow_plan")
        if field is not None:
            own = self.instance.own_limits if self.instance.plan_id else []
            field.choices = [(name, field_of(name).verbose_name) for name in own]
            if not own:
                field.widget = forms.MultipleHiddenInput()
                field.help_text = ""


class TenantAdmin(KeysOnTenantMixin):
    """What this room knows of a tenant. The topmost room that adds to it registers it: `clusterops/admin.py`."""

    form = TenantForm
    list_display: Any = ("tenant_id", "max_cpu", "max_memory_gi", "max_concurrent_jobs", "state")
    list_filter = ("is_active", "submissions_paused")
    search_fields = ("tenant_id", "namespace")
    search_help_text = "Tenant or namespace"
    show_full_result_count = False
    list_per_page = 50
    actions: Any = ("pause_submissions", "resume_submissions")
    fieldsets: ClassVar[Any] = (
        (None, {"fields": ("tenant_id", "namespace")}),
        (
            "Limits",
            {
                "fields": (
                    "plan",
                    *LIMIT_ROWS,
                    "limit_sources",
                    "follow_plan",
                ),
                "description": "Lowering a limit stops nothing: running jobs stay, and new ones wait until they fit.",
            },
        ),
        (
            "Share",
            {
                "fields": (SHARE,),
                "description": "Who goes first where jobs of several tenants wait for the same cluster.",
            },
        ),
        ("Access", {"fields": ("is_active", "submissions_paused", "contact_email")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        return self.with_home(super().get_fieldsets(request, obj))

    def with_home(self, fieldsets: Any) -> Any:
        """Where there is one cluster, a home is no question."""
        return [*fieldsets, HOME] if Cluster.objects.count() > 1 else fieldsets

    @admin.display(description="state", ordering="is_active")
    def state(self, tenant: Tenant) -> SafeString:
        if not tenant.is_active:
            return badge("bad", "inactive")
        return badge("warn", "paused") if tenant.submissions_paused else badge("ok", "active")

    def response_add(self, request: HttpRequest, obj: Tenant, post_url_continue: str | None = None) -> HttpResponse:
        """A new tenant needs a key next: stay on its page."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, f"Made tenant {obj}. Issue its first API key below.", messages.SUCCESS)
        return redirect("admin:tenants_tenant_change", obj.pk)

    @admin.display(description="whose limits")
    def limit_sources(self, tenant: Tenant) -> str:
        """Which of them are the plan's, its own, or of the service's settings."""
        if tenant.pk is None or tenant.plan is None:
            return "All are its own: it has no plan."
        by_source: dict[str, list[str]] = {}
        for name, source in tenant.sources.items():
            by_source.setdefault(source, []).append(str(field_of(name).verbose_name))
        words = {"plan": f"Of the plan {tenant.plan}", "own": "Own", "service": "Of the service's settings"}
        return "; ".join(f"{words[source]}: {', '.join(names)}" for source, names in sorted(by_source.items())) + "."

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        """With a plan, what was edited here is the tenant's own from now on, and all else follows the plan."""
        edited = set(form.changed_data) & set(Tenant.LIMITS)  # of a new one: what is not the default
        if obj.plan is None:
            obj.own_limits = []
        else:
            kept = set() if "plan" in form.changed_data else set(obj.own_limits)
            obj.own_limits = sorted((kept - set(form.cleaned_data.get("follow_plan", ()))) | edited)
            obj.take_plan(obj.plan)
        super().save_model(request, obj, form, change)
        if "plan" in form.changed_data:
            PlanAssignment.objects.create(
                tenant=obj,
                plan=obj.plan,
                since=billing_today(),
                keeps=obj.own_limits,
                is_applied=True,
                made_by=request.user.get_username(),
            )

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> tuple[str, ...]:
        fixed = ("tenant_id", "namespace", "cluster") if obj else ()
        return (*super().get_readonly_fields(request, obj), "limit_sources", *fixed)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Tenants are deleted one at a time, on their own page."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """A tenant's keys and its plans' history go with it; they cannot be deleted alone."""
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        return found, counts, needed - {ApiKey._meta.verbose_name, PlanAssignment._meta.verbose_name}, protected

    @admin.action(description="Pause submissions", permissions=["change"])
    def pause_submissions(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        self._set_paused(request, queryset, paused=True)

    @admin.action(description="Resume submissions", permissions=["change"])
    def resume_submissions(self, request: HttpRequest, queryset: QuerySet[Tenant]) -> None:
        self._set_paused(request, queryset, paused=False)

    def _set_paused(self, request: HttpRequest, queryset: QuerySet[Tenant], *, paused: bool) -> None:
        rows = list(queryset.filter(submissions_paused=not paused))
        Tenant.objects.filter(pk__in=[row.pk for row in rows]).update(submissions_paused=paused)
        self.log_same_change(request, rows, change("submissions_paused", not paused, paused))
        done = "paused (reads go on, new jobs are refused)" if paused else "open again"
        names = ", ".join(row.tenant_id for row in rows[:NAMED]) + (" and others" if len(rows) > NAMED else "")
        self.message_user(request, f"Submissions {done}: {names}." if rows else "Nothing to change.")


class ApiKeyForm(forms.ModelForm):
    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now() and "expires_at" in self.changed_data:
            raise forms.ValidationError("This time has passed; revoke the key to end it now.")
        return expires_at


class KeyStateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("usable", "usable"), ("ended", "expired, revoked or of an inactive tenant")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        usable = ApiKey.objects.usable()
        if self.value() == "usable":
            return queryset.filter(pk__in=usable)
        return queryset.exclude(pk__in=usable) if self.value() == "ended" else queryset


@admin.register(ApiKey)
class ApiKeyAdmin(FreshRowMixin, ValueHistoryMixin):
    """Every key, and the only place for admins' keys. Keys are revoked, never deleted: their history stays."""

    form = ApiKeyForm
    list_display = ("shown_prefix", "owner", "label", "role", "shown_state", "created_at", "expires_at", "last_used_at")
    list_filter = (KeyStateFilter, "scope")
    list_select_related = ("tenant",)
    search_fields = ("prefix", "label", "tenant__tenant_id")
    search_help_text = "First characters, label or tenant"
    show_full_result_count = False
    formfield_overrides = {  # one labelled field that the browser has a picker for
        DateTimeField: {
            "form_class": forms.DateTimeField,
            "widget": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "help_text": "UTC. Empty: never.",
        }
    }
    actions = ("revoke",)
    fields = ("tenant", "label", "role", "expires_at")

    @admin.display(description="key", ordering="prefix")
    def shown_prefix(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @admin.display(ordering="tenant")
    def owner(self, key: ApiKey) -> str | SafeString:
        return key.tenant_id or badge("info", "admins")

    @admin.display(description="state")
    def shown_state(self, key: ApiKey) -> SafeString:
        return badge({"usable": "ok", "expired": "warn", "inactive": "warn", "revoked": ""}[key.state], key.state)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return self.fields
        return (
            "shown_prefix",
            "owner",
            "label",
            "role",
            "shown_state",
            "expires_at",
            "created_at",
            "last_used_at",
            "revoked_at",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return [name for name in self.get_fields(request, obj) if name not in self.fields] if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> Any:
        """What most keys are for, rather than the role that may do all."""
        return {"role": Role.ENGINEER, **super().get_changeform_initial_data(request)}

    def get_form(self, request: HttpRequest, obj: ApiKey | None = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if "tenant" in form.base_fields:  # tenants are made on their own page
            widget: Any = form.base_fields["tenant"].widget
            widget.can_add_related = widget.can_change_related = widget.can_view_related = False
        return form

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> ModelChoiceField:
        kwargs["required"] = not request.user.is_superuser
        kwargs["help_text"] = "Empty: a key for the admin endpoints." if request.user.is_superuser else ""
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[return-value]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=["label", "role", "expires_at"])
            return
        row, key = ApiKey.objects.issue(
            tenant=obj.tenant, label=obj.label, expires_at=obj.expires_at, role=Role(obj.role)
        )
        obj.pk = row.pk
        obj.refresh_from_db()
        show_once(request, key, obj.tenant_id or "admins")

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """Admins' keys are for superusers alone."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.tenant_id is not None or bool(request.user.is_superuser))

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = queryset.filter(revoked_at=None)
        if not request.user.is_superuser:  # admins' keys are for superusers alone
            keys = keys.exclude(tenant=None)
        revoked = self.change_many(request, keys, "revoked", lambda rows: rows.update(revoked_at=timezone.now()))
        if revoked:
            self.message_user(request, f"{revoked} key(s) are refused from now on.")
        else:
            self.message_user(request, "None of these keys could be revoked.", messages.WARNING)
