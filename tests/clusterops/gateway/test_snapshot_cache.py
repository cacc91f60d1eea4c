"""Many who look cost one question to the cluster, and its silence is remembered as silence."""

import threading
from concurrent.futures import ThreadPoolExecutor

from clusterops.contract import ClusterSnapshot
from clusterops.errors import ClusterUnreachable
from clusterops.gateway.snapshot_cache import SnapshotCache
from tests.clusterops.dashboard import seed


class Cluster:
    def __init__(self) -> None:
        self.asked = 0
        self.silent = False
        self.may_answer = threading.Event()
        self.may_answer.set()

    def take(self) -> ClusterSnapshot:
        self.asked += 1
        self.may_answer.wait(10)
        if self.silent:
            raise ClusterUnreachable("no answer")
        return seed.snapshot()


def test_concurrent_looks_ask_once() -> None:
    cluster = Cluster()
    cache = SnapshotCache(cluster.take)
    with ThreadPoolExecutor(16) as pool:
        sights = list(pool.map(lambda _: cache.look(), range(64)))
    assert cluster.asked == 1
    assert len({id(latest) for latest in sights}) == 1


def test_nobody_waits_for_a_slow_cluster_while_there_is_an_earlier_answer() -> None:
    cluster = Cluster()
    cache = SnapshotCache(cluster.take)
    earlier = cache.look()
    cache._asked_at = 0.0
    cluster.may_answer.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(cache.look)
        while cluster.asked < 2:
            pass
        assert cache.look() is earlier
        cluster.may_answer.set()
        assert slow.result(10) is not earlier


def test_silence_keeps_the_last_good_answer_but_not_as_current() -> None:
    cluster = Cluster()
    cache = SnapshotCache(cluster.take)
    good = cache.look()
    cluster.silent = True
    cache._asked_at = 0.0
    latest = cache.look()
    assert not latest.reachable
    assert latest.current is None
    assert latest.last_good_at == good.last_good_at
    assert latest.problem == "no answer"
    cluster.silent = False
    cache._asked_at = 0.0
    assert cache.look().reachable
