"""How pages write what was changed: the columns by their labels, moments as people read them."""

import json
from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.apps import apps
from django.db.models import DateTimeField, Field, ForeignKey

from tenants.acting import ADMIN, API, PAGES
from tenants.limits import Limits
from tenants.models import Change, Cluster

register = template.Library()
LONGEST = 200  # characters of a value
TABLES = {  # whose labels the columns have; of a room above ours only the name is known
    Change.Kind.TENANT: "tenants",
    Change.Kind.PLAN: "plans",
    Change.Kind.PRICE: "plan_prices",
    Change.Kind.PLAN_OF_TENANT: "plan_assignments",
    Change.Kind.KEY: "api_keys",
    Change.Kind.MEMBER: "members",
    Change.Kind.INVITATION: "invitations",
    Change.Kind.TRUST: "trusted_issuers",
    Change.Kind.WEBHOOK: "webhook_endpoints",
    Change.Kind.BUDGET: "budgets",
}
LABELS = {"url": "address", "by_groups": "given by groups at sign-in", "secret_version": "signing secret, version"}
FIRST = {"secret_version": 1, "cluster_id": 1, "made_by": ""}  # no news of what was just made
WAYS = {ADMIN: "on staff's pages", PAGES: "on the tenant's pages", API: "through the API", "SQL": "by SQL"}


@register.filter
def differences(change: Change) -> list[tuple[str, str, str]]:
    """(label, old, new), each as text; without what the row says already, and of what was made without the usual."""
    told = {change.subject, change.tenant_name}
    fields = _fields(TABLES[Change.Kind(change.kind)])
    return [
        (_label(name, fields), _text(name, old, fields), _text(name, new, fields))
        for name, (old, new) in sorted(change.fields.items())
        if change.action == "changed" or not ({str(old), str(new)} & told or _is_usual(name, old, new, fields))
    ]


@register.filter
def way(change: Change) -> str:
    """By which way, in words."""
    return WAYS.get(change.via, change.via)


@cache
def _fields(table: str) -> dict[str, Any]:
    """The model's fields by column; empty where no model has the table any more."""
    for model in apps.get_models():
        if model._meta.db_table == table:
            return {str(field.column): field for field in model._meta.concrete_fields}
    return {}


def _label(name: str, fields: dict[str, Field]) -> str:
    field = fields.get(name)
    return LABELS.get(name) or str(field.verbose_name if field else name.replace("_", " "))


def _is_usual(name: str, old: Any, new: Any, fields: dict[str, Field]) -> bool:
    value = old if new is None else new
    if name in FIRST:
        return name == "made_by" or value == FIRST[name]
    return isinstance(value, bool) and name in fields and fields[name].get_default() == value


def _text(name: str, value: Any, fields: dict[str, Field]) -> str:
    if value is None or value in ("", []):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    field = fields.get(name)
    if isinstance(field, DateTimeField) and isinstance(value, str):
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M} UTC"
    if isinstance(field, ForeignKey) and field.related_model is Cluster:  # a home changes seldom
        return Cluster.objects.filter(pk=value).values_list("name", flat=True).first() or str(value)
    if isinstance(value, list):
        value = ", ".join(_label(each, _fields("tenants")) if each in Limits.LIMITS else str(each) for each in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.replace("_", " ") if field is not None and field.choices else text
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
