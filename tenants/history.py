"""The admin's history in values: `max_cpu: 10 → 20` rather than “Changed CPU limit.”"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Manager, Model, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest

HISTORY_ROWS = 100  # an action on more rows is one line of the history


def change(name: str, old: Any, new: Any) -> str:
    """One change as the history shows it. A password is never shown."""
    if "password" in name:
        return f"{name}: changed"
    return f"{name}: {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, QuerySet | Manager | list | tuple):
        return ", ".join(sorted(str(each) for each in (value.all() if isinstance(value, Manager) else value))) or "—"
    return str(value.pk if isinstance(value, Model) and not isinstance(value.pk, int) else value)


class ValueHistoryMixin(admin.ModelAdmin):
    """A ModelAdmin whose history tells old and new values, of forms and of actions."""

    def construct_change_message(  # type: ignore[override] # the history takes text as well as a list
        self, request: HttpRequest, form: BaseForm, formsets: Any, add: bool = False
    ) -> str:
        if add:
            values = form.cleaned_data.items()
            return "; ".join(f"{name}: {_shown(value)}" for name, value in values if "password" not in name)
        return "; ".join(
            change(name, form.get_initial_for_field(form.fields[name], name), form.cleaned_data.get(name))
            if name in form.fields
            else f"{name}: changed"
            for name in form.changed_data
        )

    def log_same_change(self, request: HttpRequest, rows: Iterable[Model], message: str) -> None:
        """The history of an action: the same change to each row."""
        LogEntry.objects.log_actions(request.user.pk, list(rows), CHANGE, message)  # type: ignore[arg-type]

    def change_many(self, request: HttpRequest, rows: QuerySet, message: str, update: Callable[[QuerySet], int]) -> int:
        """`update` rows, however many, without reading them; how many it changed. The history names each of a hundred,
        and has one line for more."""
        with transaction.atomic():
            some = list(rows.order_by().select_for_update(of=("self",), no_key=True)[: HISTORY_ROWS + 1])
            changed = update(rows)
            if len(some) <= HISTORY_ROWS:
                self.log_same_change(request, some, message)
                return changed
            LogEntry.objects.create(
                user_id=request.user.pk or 0,
                content_type=ContentType.objects.get_for_model(self.model),
                object_repr=f"{changed} {self.model._meta.verbose_name_plural}",
                action_flag=CHANGE,
                change_message=message,
            )
            return changed
