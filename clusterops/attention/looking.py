"""The list as it stands: what the page, the API, the metrics and the doctor show."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from clusterops.attention.gathering import facts
from clusterops.gateway.snapshot_cache import LatestSnapshot
from clusterops.models import AttentionSilence
from clusterops.policy.attention import Finding, Silence, Tally, findings, tally


@dataclass(frozen=True)
class Attention:
    """All that needs somebody, and what is known and silenced for a while."""

    findings: Sequence[Finding]
    silences: Sequence[AttentionSilence]

    @property
    def tally(self) -> Tally:
        return tally(self.findings)


def look(latest: LatestSnapshot | None = None) -> Attention:
    """Twelve queries at most, none of which grows with the jobs table. `latest`: what this process sees."""
    now = timezone.now()
    silences = list(AttentionSilence.objects.filter(until__gt=now).select_related("by"))
    found = facts(now)
    if latest is not None and not latest.reachable and found.machinery.sees_cluster:
        seen = replace(found.machinery, sees_cluster=False, saw_cluster_at=latest.last_good_at, error=latest.problem)
        found = replace(found, machinery=seen)
    listed = findings(found, [Silence(each.cause, each.tenant_id) for each in silences])
    return Attention(listed, silences)
