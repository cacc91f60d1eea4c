"""Finding jobs by what people know of them, at a price that a large table does not raise."""

import re
import uuid
from datetime import datetime

from django.db.models import Q, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Replace

from simulations.models import JobQuerySet

SEARCHED = 50_000  # the newest; for what no index answers
ID_PREFIX = re.compile(r"[0-9a-f]{6,32}")


def ids_with_prefix(rows: JobQuerySet, text: str, most: int) -> list[uuid.UUID]:
    """Jobs whose id begins so, with or without hyphens, by its index."""
    digits = text.replace("-", "").lower()
    if not ID_PREFIX.fullmatch(digits):
        return []
    first, last = uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))
    return list(rows.filter(pk__range=(first, last)).order_by().values_list("pk", flat=True)[:most])


def digits_of(column: str) -> Replace:
    """A UUID as text without its hyphens."""
    return Replace(Cast(column, TextField()), Value("-"), Value(""), output_field=TextField())


def containing(rows: JobQuerySet, text: str) -> JobQuerySet:
    """In any part of scenario, labels and id, however it is written."""
    rows = rows.annotate(
        asked_for=KT("scenario_data__scenario_id"),
        labels_text=Cast("labels", TextField()),
        digits=digits_of("job_id"),
    )
    matches = Q(asked_for__icontains=text) | Q(labels_text__icontains=text) | Q(k8s_job_name=text)
    digits = text.replace("-", "").lower()
    return rows.filter(matches | Q(digits__contains=digits) if digits else matches)


def searched_from(rows: JobQuerySet) -> datetime | None:
    """When the oldest of the newest SEARCHED was submitted; None: there are no more than these."""
    newest = rows.order_by("-submitted_at").values_list("submitted_at", flat=True)
    return next(iter(newest[SEARCHED - 1 : SEARCHED]), None)
