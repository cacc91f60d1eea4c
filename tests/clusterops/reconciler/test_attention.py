"""Every cause of the attention list, from what brings it about to what mends it: on the page, in the API and in the
metric, and gone from all three."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from clusterops.gateway import Gateway, KubeApi, snapshot_cache
from clusterops.policy.causes import CAUSES
from clusterops.reconciler import exporter
from localcluster.config import Autoscaler
from tenants.clusters import FIRST
from tests.clusterops.fake_api import FakeApi
from tests.clusterops.reconciler.plays import ALONE, CLUSTER, ROWS, RUNS, Play, World
from tests.local_clusters import running

Seen = Callable[[], set[str]]
# One machine, and a pool that may not add any.
POOL = Autoscaler(node_cpu="16", node_memory="32Gi", pool_cpu="1")


@pytest.fixture
def local_gateway(tmp_path: Path) -> Iterator[Gateway]:
    """To a local cluster of the test's own: its machines and images are what goes wrong."""
    with running(tmp_path, cpu="8", memory="16Gi", autoscaler=POOL) as cluster:
        yield Gateway(KubeApi(str(cluster.config.kubeconfig)))


@pytest.fixture
def world(
    request: pytest.FixtureRequest, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, db: None
) -> World:
    """In memory, unless the test asks for the local cluster."""
    settings.MAX_ATTEMPTS = 1
    is_local = "local_gateway" in request.fixturenames
    gateway = request.getfixturevalue("local_gateway") if is_local else Gateway(FakeApi())  # type: ignore[arg-type]
    monkeypatch.setattr("clusterops.gateway.operations.EXPLAIN_AFTER", timedelta(0))
    monkeypatch.setattr("clusterops.gateway.operations.ASK_AUTOSCALER_EVERY_S", 0.0)
    world = World(gateway, settings, monkeypatch, tmp_path)
    monkeypatch.setattr(snapshot_cache.cache_of(FIRST), "_take", lambda: world.loop.gateway.snapshot())
    world.loop.once()
    return world


@pytest.fixture
def seen(world: World, superuser: Client, admin_api: APIClient) -> Seen:
    """The causes told, which must be the same and as many wherever they are."""

    def _seen() -> set[str]:
        snapshot_cache.cache_of(FIRST).forget()
        page = superuser.get("/cluster/").content.decode()
        shown = set(re.findall(r'<li id="attention-(\w+)"', page))
        assert ("Nothing needs you." in page) is not bool(shown)
        answered = {each["cause"]: each["count"] for each in admin_api.get("/admin/attention").json()["findings"]}
        families = {family.name: family for family in exporter.gauges()}
        samples = families["sumok8_attention"].samples
        measured = {each.labels["cause"]: each.value for each in samples if each.value}
        assert shown == answered.keys()
        assert measured == answered
        return shown

    return _seen


def comes_and_goes(world: World, seen: Seen, plays: Mapping[str, Play]) -> None:
    assert seen() == set()
    with ExitStack() as stack:
        for each in plays.values():
            stack.enter_context(contextmanager(each)(world))
        if plays is RUNS:
            world.until_all_ended()
        assert seen() == plays.keys()
    world.until_all_ended()
    assert seen() == set()


def test_every_cause_is_played() -> None:
    assert CLUSTER.keys() | RUNS.keys() | ROWS.keys() | ALONE.keys() == CAUSES.keys()


def test_what_the_cluster_decides(local_gateway: Gateway, world: World, seen: Seen) -> None:
    comes_and_goes(world, seen, CLUSTER)


def test_how_runs_end(world: World, seen: Seen) -> None:
    comes_and_goes(world, seen, RUNS)


def test_what_rows_say(world: World, seen: Seen) -> None:
    comes_and_goes(world, seen, ROWS)


def test_what_hides_others(world: World, seen: Seen) -> None:
    for code, each in ALONE.items():
        with contextmanager(each)(world):
            assert seen() == {code}
    assert seen() == set()
