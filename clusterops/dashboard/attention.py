"""The attention list as a page shows it: by who can mend it, with links to what can be done."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from clusterops.attention import look
from clusterops.dashboard.clusters import Chosen
from clusterops.gateway.snapshot_cache import LatestSnapshot
from clusterops.models import AttentionSilence
from clusterops.policy.attention import Finding
from clusterops.policy.causes import CAUSES, Action, Cause
from clusterops.policy.facts import Group
from simulations.sumo.protocol.endings import Fault

TENANTS = 3  # named in the list; the rest on the cause's page
DETAIL = 240  # characters
WHO = {
    Fault.OPERATOR: "For you, the operator",
    Fault.TENANT: "For the tenant",
    Fault.NOBODY: "Nobody's fault",
}
SILENCES = {"1h": timedelta(hours=1), "8h": timedelta(hours=8), "7d": timedelta(days=7)}
LABELS = {
    Action.JOBS: "Show jobs",
    Action.WAITING: "Show or cancel waiting jobs",
    Action.FAILED: "Show failed jobs",
    Action.LIMITS: "Limits",
    Action.NODES: "Machines",
}


@dataclass(frozen=True)
class Row:
    """A finding and what can be done."""

    finding: Finding
    links: list[tuple[str, str]]

    @property
    def tenants(self) -> tuple[Group, ...]:
        return self.finding.tenants[:TENANTS]

    @property
    def more_tenants(self) -> int:
        return len(self.finding.tenants) - len(self.tenants)

    @property
    def detail(self) -> str:
        words = next(iter(self.finding.details), "")
        return words if len(words) <= DETAIL else f"{words[:DETAIL]}…"

    @property
    def count(self) -> str:
        """`3 jobs`; empty where there is nothing to count."""
        unit, count = self.finding.cause.unit, self.finding.count
        return f"{count:,} {unit}{'' if count == 1 else 's'}" if unit else ""


def section(latest: LatestSnapshot, cluster: str = "") -> dict[str, Any]:
    """What needs somebody, the operator's own first, whatever the cluster; `latest` is of that one."""
    found = look(latest, cluster)
    groups = []
    for who, words in WHO.items():
        rows = [Row(each, links(each)) for each in found.findings if each.cause.who is who]
        if rows:
            groups.append((words, rows))
    return {"groups": groups, "silenced": len(found.silences), "at": timezone.now()}


def cause_page(code: str, place: Chosen) -> dict[str, Any]:
    """One cause: all its tenants, what is said of it, and its silences."""
    cause = CAUSES[code]
    found = look(place.latest, place.name)
    finding = next((each for each in found.findings if each.cause.code == code), None)
    return {
        "cause": cause,
        "who": WHO[cause.who],
        "row": Row(finding, links(finding)) if finding else None,
        "shares": [(share, _of_tenant(cause, share.tenant_id)) for share in finding.tenants] if finding else [],
        "silences": [each for each in found.silences if each.cause == code],
        "spans": list(SILENCES),
    }


def links(finding: Finding) -> list[tuple[str, str]]:
    """With one tenant the links lead to that tenant's."""
    tenants = finding.tenants
    return _of_tenant(finding.cause, tenants[0].tenant_id if len(tenants) == 1 else "")


def _of_tenant(cause: Cause, tenant_id: str) -> list[tuple[str, str]]:
    return [(LABELS[action], _address(action, cause, tenant_id)) for action in cause.actions]


def _address(action: Action, cause: Cause, tenant_id: str) -> str:
    tenant = {"tenant": tenant_id} if tenant_id else {}
    match action:
        case Action.JOBS:
            query = {"reason": cause.reason.value if cause.reason else ""} | tenant
        case Action.WAITING:
            query = {"status": "PENDING"} | ({"reason": cause.reason.value} if cause.reason else {}) | tenant
        case Action.FAILED:
            query = {"status": "FAILED", "ended": "1h"} | tenant
        case Action.LIMITS if tenant_id:
            return reverse("cluster:tenant", args=[tenant_id])
        case Action.LIMITS:
            return reverse("cluster:tenants") + "?at=limit"
        case Action.NODES:
            return reverse("cluster:overview") + "#nodes"
    return f"{reverse('cluster:jobs')}?{urlencode(query)}"


def silence(user: User, code: str, span: str, tenant_id: str | None) -> None:
    """Tell it no more for that long; another time for the same replaces the first."""
    with transaction.atomic():
        AttentionSilence.objects.filter(cause=code, tenant=tenant_id).delete()
        until = timezone.now() + SILENCES[span]
        AttentionSilence.objects.create(cause=code, tenant_id=tenant_id, until=until, by=user)


def speak(code: str) -> int:
    """End the silences of a cause; how many there were."""
    return AttentionSilence.objects.filter(cause=code).delete()[0]
