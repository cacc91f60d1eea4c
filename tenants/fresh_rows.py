"""Two who edit one row: the second is told what the first changed, and nothing is overwritten in silence."""

import hashlib
import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import connection
from django.db.models import Manager, Model, QuerySet
from django.http import HttpRequest

SEEN = "_seen"


def _print_of(value: Any) -> str:
    """Short and the same for the same value, whichever way it came: from the row or from the form."""
    if isinstance(value, QuerySet | Manager | list | tuple):
        rows = value.all() if isinstance(value, Manager) else value
        value = sorted(str(each.pk if isinstance(each, Model) else each) for each in rows)
    elif isinstance(value, Model):
        value = value.pk
    elif value is None:
        value = ""
    return hashlib.sha256(str(value).encode()).hexdigest()[:16]


def _prints(form: forms.BaseForm) -> dict[str, str]:
    """Of the row's values as the form was made from them."""
    return {name: _print_of(form.get_initial_for_field(field, name)) for name, field in form.fields.items()}


def _seen(request: HttpRequest) -> dict[str, Any]:
    try:
        found = json.loads(request.POST.get(SEEN, "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


class _FreshForm(forms.ModelForm):
    seen: ClassVar[dict[str, Any]]

    def clean(self) -> Any:
        cleaned = super().clean()
        stale = [
            str(self[name].label or name)
            for name, now in _prints(self).items()
            if self.seen.get(name, now) != now and _print_of(self.cleaned_data.get(name)) != now
        ]
        if stale:
            said = f"Meanwhile somebody else changed this: {', '.join(stale)}. Nothing was saved, your input is kept."
            after = "Reload the page to see what there is now, or save again to write your input over it."
            self.add_error(None, f"{said} {after}")
        return cleaned


class FreshRowMixin(admin.ModelAdmin):
    """A form carries prints of the values that it was made from; it is saved if the row still has them.

    The row is locked from that comparison to the save.
    """

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        self.model._default_manager.select_for_update(no_key=True).filter(pk=found.pk).first()
        return super().get_object(request, object_id, from_field)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        if obj is None or request.method != "POST":
            return form
        return type("FreshForm", (_FreshForm, form), {"seen": _seen(request)})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("obj"):
            context["seen"] = json.dumps(_prints(context["adminform"].form))
        return super().render_change_form(request, context, *args, **kwargs)
