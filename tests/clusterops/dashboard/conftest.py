"""A staff member's browser and a cluster that answers, or does not."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from clusterops.contract import ClusterSnapshot
from clusterops.errors import ClusterUnreachable
from clusterops.gateway import snapshot_cache
from tenants.clusters import FIRST
from tests.clusterops.dashboard import seed


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_user("nora", is_staff=True)


@pytest.fixture
def staff_client(client: Client, staff: User) -> Client:
    client.force_login(staff)
    return client


@pytest.fixture
def cluster_answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[ClusterSnapshot | None], None]]:
    """Call it with what the next look sees; None: the cluster does not answer."""

    def answer(snapshot: ClusterSnapshot | None) -> None:
        def take() -> ClusterSnapshot:
            if snapshot is None:
                raise ClusterUnreachable("GET /api/v1/nodes: ConnectTimeoutError")
            return snapshot

        monkeypatch.setattr(snapshot_cache.cache_of(FIRST), "_take", take)
        monkeypatch.setattr(snapshot_cache.cache_of(FIRST), "_asked_at", 0.0)

    answer(seed.snapshot())
    yield answer
    snapshot_cache.cache_of(FIRST).forget()
