"""Which cluster a page is about, where there are several."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.http import Http404

from clusterops.gateway.snapshot_cache import LatestSnapshot, look_at
from tenants.clusters import Cluster


@dataclass(frozen=True)
class Chosen:
    """One of the installation's clusters."""

    cluster: Cluster
    offered: Sequence[Cluster]

    @property
    def is_one_of_many(self) -> bool:
        return len(self.offered) > 1

    @property
    def name(self) -> str:
        """For addresses; empty where there is no other."""
        return self.cluster.name if self.is_one_of_many else ""

    @property
    def latest(self) -> LatestSnapshot:
        return look_at(self.cluster)

    def of(self, column: str) -> Q:
        """Selects rows by that column; all of them where there is no other cluster."""
        return Q(**{column: self.cluster.pk}) if self.is_one_of_many else Q()


def chosen(query: Mapping[str, str]) -> Chosen:
    """By `?cluster=NAME`, else the first. Raises Http404."""
    offered = list(Cluster.objects.all())
    name = query.get("cluster", "")
    found = next((each for each in offered if each.name == name), None) if name else offered[0]
    if found is None:
        raise Http404("no such cluster")
    return Chosen(found, offered)
