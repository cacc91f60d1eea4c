"""Whoever waits for a cluster, a storage or a server elsewhere keeps no database connection: there are fewer of them
than threads, and everybody else needs one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import Storage
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from clusterops import errors
from clusterops.gateway import snapshot_cache
from simulations import files
from simulations.models import Job
from tenants.clusters import FIRST
from tenants.egress.fetching import Unreachable, fetch
from tests.factories import JobFactory, TenantFactory, issue_key
from tests.simulations.scenarios import upload

pytestmark = pytest.mark.django_db(transaction=True)
kept: list[bool] = []  # at each wait: whether the thread had a connection


def away(*_: Any, **__: Any) -> Any:
    kept.append(connection.connection is not None)
    raise OSError


class Cluster:
    def read_log(self, *_: Any, **__: Any) -> Any:
        kept.append(connection.connection is not None)
        raise errors.ClusterUnreachable("no answer")

    usage = snapshot = read_log


class Bucket(Storage):
    bucket_name = "away"
    size = _open = away

    def delete(self, name: str) -> None:
        """In the transaction that knows it to be unused."""


def logs(api: APIClient) -> None:
    assert api.get(f"/jobs/{Job.objects.get().pk}/logs").status_code == 503


def dashboard(api: APIClient) -> None:
    assert api.get("/tenants/me/dashboard").status_code == 200


def snapshot(_: APIClient) -> None:
    snapshot_cache.cache_of(FIRST).forget()
    assert not Job.objects.filter(status="FAILED").exists()
    snapshot_cache.cache_of(FIRST).look()


def scenario(api: APIClient) -> None:
    assert upload(api).status_code == 503


def storage(_: APIClient) -> None:
    assert Job.objects.exists()
    with pytest.raises(files.ApiError):
        files.read("results/any", at_most=1)


def elsewhere(_: APIClient) -> None:
    assert Job.objects.exists()
    with pytest.raises(Unreachable):
        fetch("https://example.org/keys")


@pytest.mark.parametrize("ask", [logs, dashboard, snapshot, scenario, storage, elsewhere])
def test_none_is_kept(ask: Callable[[APIClient], None], settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = JobFactory(
        tenant=TenantFactory(tenant_id="city-a"), status="RUNNING", pod_name="pod", dispatched_at=timezone.now()
    )
    api = APIClient(headers={"Authorization": f"Bearer {issue_key(job.tenant)}"})
    for door in ("clusterops.api.logs", "clusterops.api.tenant_dashboard", "clusterops.gateway.snapshot_cache"):
        monkeypatch.setattr(f"{door}.gateway_of", lambda _: Cluster())
    monkeypatch.setattr("tenants.egress.destinations.addresses", away)
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": f"{__name__}.Bucket"}}
    kept.clear()
    ask(api)
    assert kept
    assert not any(kept)
