"""The list of jobs for staff: filters, search and pages, at a price that a large table does not raise."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from django.utils import timezone

from simulations.api.pagination import Cursor, cut, read_cursor
from simulations.models import Job, JobQuerySet
from simulations.models.columns import FOR_LIST
from simulations.searching import SEARCHED, containing, ids_with_prefix, searched_from
from tenants.clusters import Cluster

PAGE_ROWS = 50
COUNTED = 1000  # more are not counted
LONGEST = 200  # characters of a filter
PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@dataclass(frozen=True)
class Asked:
    """The query string: all that is given must match."""

    status: str = ""
    reason: str = ""
    tenant: str = ""
    cluster: str = ""
    scenario: str = ""
    label: str = ""  # name or name=value
    period: str = ""
    ended: str = ""
    q: str = ""
    cursor: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Asked":
        return cls(**{each.name: query.get(each.name, "").replace("\0", "").strip()[:LONGEST] for each in fields(cls)})

    @property
    def filters(self) -> dict[str, str]:
        """Those that are set, for chips; the place in the list is none."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in given.items() if value and name != "cursor"}

    @property
    def place(self) -> Cursor | None:
        try:
            return read_cursor(self.cursor, uuid.UUID) if self.cursor else None
        except ValueError:
            return None


def job_list(asked: Asked) -> dict[str, Any]:
    """A page of jobs, newest first: three queries, five with a search."""
    clusters = list(Cluster.objects.values_list("name", flat=True))
    found, is_cut = _matching(asked)
    shown = found.select_related("cluster").only(*FOR_LIST, "cluster__name")
    rows, following = cut(shown, order_by="submitted_at", limit=PAGE_ROWS, cursor=asked.place)
    count = found.order_by()[: COUNTED + 1].count()
    return {
        "rows": rows,
        "older": str(following or ""),
        "asked": asked,
        "count": f"more than {COUNTED:,}" if count > COUNTED else f"{count:,}",
        "is_one": count == 1,
        "among_newest": SEARCHED if is_cut else 0,
        "statuses": Job.Status.values,
        "reasons": [reason.value for reason in Job.Reason],
        "clusters": clusters if len(clusters) > 1 else [],
        "periods": list(PERIODS),
        "is_first": asked.place is None,
        "is_live": not is_cut,  # else each look costs a search
    }


def _matching(asked: Asked) -> tuple[JobQuerySet, bool]:
    """The jobs asked for, and whether older ones than the newest SEARCHED were left out."""
    found: JobQuerySet = Job.objects.all()
    if asked.status in Job.Status.values:
        found = found.filter(status=asked.status)
    if asked.tenant:
        found = found.filter(tenant_id=asked.tenant)
    if asked.period in PERIODS:
        found = found.filter(submitted_at__gt=timezone.now() - PERIODS[asked.period])
    if asked.ended in PERIODS:
        found = found.filter(finished_at__gt=timezone.now() - PERIODS[asked.ended])
    slow = bool(asked.label or ((asked.scenario or asked.cluster) and not asked.tenant))
    if asked.cluster:
        found = found.filter(cluster__name=asked.cluster)
    if asked.reason:
        found = found.because(asked.reason)
    if asked.scenario:
        found = found.of_scenario(asked.scenario)
    if asked.label:
        name, is_pair, value = asked.label.partition("=")
        name = name.strip()
        found = found.filter(labels__contains={name: value.strip()}) if is_pair else found.filter(labels__has_key=name)
    if asked.q:
        if ids := ids_with_prefix(Job.objects.all(), asked.q, PAGE_ROWS):
            found = found.filter(pk__in=ids)
        else:
            found, slow = containing(found, asked.q), True
    begins = searched_from(Job.objects.all()) if slow else None
    return (found.filter(submitted_at__gte=begins) if begins else found), begins is not None
