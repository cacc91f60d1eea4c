"""Each cluster as dashboards see it: one snapshot shared by everyone who looks within two seconds."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from clusterops.contract import ClusterSnapshot
from clusterops.errors import GatewayError
from clusterops.gateway import gateway_of
from tenants.clusters import Cluster
from tenants.database import give_connection_back

FRESH_S = 2.0
TIMEOUT_S = 4.0


@dataclass(frozen=True)
class LatestSnapshot:
    """The newest answer, and whether the cluster gave it just now. Unreachable: `snapshot` is the last good one."""

    snapshot: ClusterSnapshot | None
    reachable: bool
    problem: str = ""

    @property
    def current(self) -> ClusterSnapshot | None:
        """The snapshot, only if it is today's truth."""
        return self.snapshot if self.reachable else None

    @property
    def last_good_at(self) -> datetime | None:
        return self.snapshot.taken_at if self.snapshot else None


class SnapshotCache:
    """Asks at most every `FRESH_S` seconds, one thread at a time; meanwhile the others get the earlier answer."""

    def __init__(self, take: Callable[[], ClusterSnapshot]) -> None:
        self._take = take
        self._lock = threading.Lock()
        self._latest: LatestSnapshot | None = None
        self._asked_at = 0.0

    def look(self) -> LatestSnapshot:
        earlier = self._latest
        if earlier and time.monotonic() - self._asked_at < FRESH_S:
            return earlier
        give_connection_back()  # a cluster that does not answer is waited for
        if not self._lock.acquire(blocking=earlier is None):
            return earlier or self.look()
        try:
            if self._latest is None or time.monotonic() - self._asked_at >= FRESH_S:
                self._latest = self._ask()
                self._asked_at = time.monotonic()
            return self._latest
        finally:
            self._lock.release()

    def forget(self) -> None:
        """The next look asks the cluster."""
        with self._lock:
            self._latest = None

    def _ask(self) -> LatestSnapshot:
        try:
            return LatestSnapshot(self._take(), reachable=True)
        except GatewayError as error:
            return LatestSnapshot(self._latest.snapshot if self._latest else None, reachable=False, problem=str(error))


_caches: dict[int, SnapshotCache] = {}
_making = threading.Lock()


def cache_of(cluster_id: int) -> SnapshotCache:
    """The cluster's own in this process."""
    with _making:
        return _caches.setdefault(cluster_id, SnapshotCache(lambda: _take(cluster_id)))


def look_at(cluster: Cluster) -> LatestSnapshot:
    return cache_of(cluster.pk).look()


def _take(cluster_id: int) -> ClusterSnapshot:
    gateway = gateway_of(Cluster.objects.get(pk=cluster_id))
    give_connection_back()
    return gateway.snapshot(timeout_s=TIMEOUT_S)
