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


def look(latest: LatestSnapshot | None = None, cluster: str = "") -> Attention:
    """Twelve queries at most, none of which grows with the jobs table. `latest`: what this process sees, of the cluster
    of that name if there are several."""
    now = timezone.now()
    silences = list(AttentionSilence.objects.filter(until__gt=now).select_related("by"))
    found = facts(now)
    if latest is not None and not latest.reachable:
        machinery = [
            replace(each, sees_cluster=False, saw_cluster_at=latest.last_good_at, error=latest.problem)
            if each.sees_cluster and each.cluster in ("", cluster)
            else each
            for each in found.machinery
        ]
        found = replace(found, machinery=machinery)
    listed = findings(found, [Silence(each.cause, each.tenant_id) for each in silences])
    return Attention(listed, silences)
