"""Where there are several clusters, pages and answers are about one of them."""

from typing import Any

import pytest
from django.test import Client

from clusterops.gateway import snapshot_cache
from clusterops.models import ReconcilerState
from tenants.clusters import Cluster
from tests.clusterops.dashboard import seed
from tests.factories import JobFactory, TenantFactory


@pytest.fixture
def far(cluster_answers: Any, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A second cluster, with three machines, a tenant and a job of its own."""
    far = Cluster.objects.create(name="far", region="north")
    cache = snapshot_cache.cache_of(far.pk)
    monkeypatch.setattr(cache, "_take", lambda: seed.snapshot(3))
    JobFactory(tenant=TenantFactory(tenant_id="near-by"))
    JobFactory(tenant=TenantFactory(tenant_id="settler", cluster=far), cluster=far)
    ReconcilerState.objects.update_or_create(pk=far.pk, defaults={"cluster_reachable": True})
    cache.forget()
    return far


def test_one_cluster_has_no_picker(staff_client: Client, cluster_answers: Any) -> None:
    assert "?cluster=" not in staff_client.get("/cluster/").content.decode()


def test_a_page_is_about_the_chosen_one(staff_client: Client, far: Cluster) -> None:
    first = staff_client.get("/cluster/").content.decode()
    assert 'href="?cluster=far"' in first
    assert 'id="tenant-near-by"' in first
    assert 'id="tenant-settler"' not in first
    page = staff_client.get("/cluster/?cluster=far").content.decode()
    assert 'id="tenant-settler"' in page
    assert 'id="tenant-near-by"' not in page
    assert "/cluster/now/summary/?cluster=far" in page
    assert "/cluster/data/activity?hours=6&amp;cluster=far" in page
    for name in ("attention", "summary", "jobs", "nodes", "tenants"):
        assert staff_client.get(f"/cluster/now/{name}/?cluster=far").status_code == 200
    assert staff_client.get("/cluster/data/activity?cluster=far").status_code == 200
    assert staff_client.get("/cluster/?cluster=none").status_code == 404
    Cluster.objects.filter(pk=far.pk).update(state="draining")
    assert "Draining: what has begun there goes on" in staff_client.get("/cluster/?cluster=far").content.decode()


def test_jobs_are_listed_by_cluster(staff_client: Client, far: Cluster) -> None:
    every = staff_client.get("/cluster/jobs/").content.decode()
    assert 'href="?cluster=far"' in every
    assert 'placeholder="Search" value=""' in every
    page = staff_client.get("/cluster/jobs/?cluster=far").content.decode()
    assert "<option selected>far</option>" in page
    assert 'href="?cluster=far&amp;tenant=settler"' in page
    assert "near-by" not in page
    assert "No such job." in staff_client.get("/cluster/jobs/?cluster=none").content.decode()


def test_who_looks_sees_clusters_and_changes_none(support: Client, far: Cluster) -> None:
    assert support.get("/admin/tenants/cluster/").status_code == 200
    path = f"/admin/tenants/cluster/{far.pk}/change/"
    assert support.get(path).status_code == 200
    assert support.post(path, {"state": "down"}).status_code == 403
    jobs = support.get(f"/admin/simulations/job/?cluster__id__exact={far.pk}").content.decode()
    assert "settler" in jobs
    assert "1 job" in jobs


def test_admins_ask_of_one(admin_api: Any, far: Cluster) -> None:
    told = admin_api.get("/admin/cluster?cluster=far").json()
    assert (told["total_nodes"], told["db_jobs"]["PENDING"]) == (3, 1)
    assert admin_api.get("/admin/cluster").json()["db_jobs"]["PENDING"] == 2
    [job] = admin_api.get("/admin/jobs?cluster=far").json()["jobs"]
    assert (job["tenant_id"], job["cluster"]) == ("settler", "far")
    assert admin_api.get("/admin/activity?cluster=far").json()["db_jobs"]["PENDING"] == 1
    assert admin_api.get("/admin/activity?cluster=none").status_code == 404


def test_the_admin_keeps_clusters_and_shows_homes_where_there_are_several(superuser: Client, far: Cluster) -> None:
    page = superuser.get("/admin/tenants/tenant/add/").content.decode()
    assert 'name="cluster"' in page
    assert 'name="allowed_regions"' in page
    assert superuser.get(f"/admin/tenants/cluster/{far.pk}/change/").status_code == 200
    made = {"name": "South", "state": "active", "capacity": "much", "context": "x", "service_url": "ftp://host"}
    answer = superuser.post("/admin/tenants/cluster/add/", made).content.decode()
    for words in ("1 to 40 of a-z", "Use off, nodes", "name that too", "begins with http"):
        assert words in answer
    superuser.post("/admin/tenants/cluster/add/", {"name": "south", "state": "active"})
    assert Cluster.objects.filter(name="south").exists()
