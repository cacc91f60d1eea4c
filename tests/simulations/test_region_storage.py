"""A storage for each region: files lie where they were made, and are found there wherever their tenant lives by now."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from simulations import files
from simulations.models import Artifact, Job, Scenario, TenantStorage
from simulations.services.moving import move_tenant
from simulations.services.retention import prune
from tenants.clusters import FIRST, Cluster
from tenants.models import Tenant
from tests.factories import JobFactory
from tests.simulations.api.test_runner import Runner
from tests.simulations.scenarios import archive, upload
from tests.sumok8.test_storages import REGIONS

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(settings: Any, tmp_path: Path) -> dict[str, Path]:
    """Three folders, and a cluster for each."""
    found = {name: tmp_path / name for name in ("default", *REGIONS)}
    settings.MEDIA_ROOT = found["default"]
    settings.STORAGES = settings.STORAGES | {
        name: {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(found[name])}}
        for name in REGIONS
    }
    for name in REGIONS:
        Cluster.objects.create(name=f"cluster-{name}", region=name, storage=name)
    return found


def stored(places: dict[str, Path]) -> dict[str, int]:
    """How many files lie in each."""
    return {name: sum(path.is_file() for path in folder.rglob("*")) for name, folder in places.items()}


def moved(tenant: Tenant, region: str) -> None:
    move_tenant(tenant_id=tenant.pk, to=Cluster.objects.get(region=region))


def content_of(answer: Any) -> bytes:
    assert answer.status_code == 200
    return b"".join(answer)


def test_files_stay_in_the_region_that_made_them(places: dict[str, Path], api: Any, tenant: Tenant) -> None:
    moved(tenant, "eu")
    assert upload(api).status_code == 201
    first = JobFactory(
        tenant=tenant, scenario=Scenario.objects.get(), cluster=Cluster.objects.get(region="eu"), status="RUNNING"
    )
    assert Runner(first.pk).store("a", b"from eu").status_code == 201
    assert stored(places) == {"default": 0, "eu": 2, "us": 0}

    moved(tenant, "us")
    assert upload(api).status_code == 200  # the same bytes: nothing is copied across
    assert stored(places) == {"default": 0, "eu": 2, "us": 0}
    assert Runner(first.pk).store("b", b"ends where it began").status_code == 201
    second = JobFactory(
        tenant=tenant, scenario=first.scenario, cluster=Cluster.objects.get(region="us"), status="RUNNING"
    )
    runner = Runner(second.pk)
    assert content_of(runner.get(f"{runner.base}/scenario")) == archive()
    assert runner.store("a", b"from us").status_code == 201
    assert upload(api, content=archive(note="new")).status_code == 201
    assert stored(places) == {"default": 0, "eu": 3, "us": 2}

    assert content_of(api.get(f"/jobs/{first.pk}/results/a")) == b"from eu"
    assert content_of(api.get(f"/jobs/{first.pk}/results/b")) == b"ends where it began"
    assert content_of(api.get(f"/jobs/{second.pk}/results/a")) == b"from us"
    assert content_of(api.get("/scenarios/town/archive?version=1")) == archive()
    assert TenantStorage.objects.get().result_bytes == len(b"from eu" + b"ends where it began" + b"from us")

    Job.objects.update(status="SUCCEEDED", finished_at="2020-01-01T00:00:00Z")
    assert api.delete("/scenarios/town").status_code == 204
    removed = prune(before=second.submitted_at)
    assert (removed.results, removed.orphaned_files) == (3, 0)
    assert stored(places) == {"default": 0, "eu": 0, "us": 0}


def test_tenants_of_two_regions_share_no_bytes_and_shared_scenarios_are_the_installations(
    places: dict[str, Path], api: Any, other_api: Any, tenant: Tenant, other_tenant: Tenant
) -> None:
    moved(tenant, "eu")
    moved(other_tenant, "us")
    for caller in (api, other_api):
        assert upload(caller).status_code == 201
    assert stored(places) == {"default": 0, "eu": 1, "us": 1}
    assert api.delete("/scenarios/town").status_code == 204
    assert content_of(other_api.get("/scenarios/town/archive")) == archive()


def test_each_storage_is_searched_for_what_no_row_names(places: dict[str, Path], job: Job) -> None:
    then = time.time() - 2 * 86400
    kept = files.placed("eu", "results/kept")
    Artifact.objects.create(job=job, attempt=1, name="a", file=kept, size_bytes=0, sha256="0")
    for name in REGIONS:
        for file in ("results/kept", "results/x/lost", "scenarios/ab/lost.zip"):
            path = places[name] / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, (then, then))
    assert prune(before=job.submitted_at).orphaned_files == 5
    assert stored(places) | {"default": 0} == {"default": 0, "eu": 1, "us": 0}


def test_a_storage_that_is_named_no_more(places: dict[str, Path], settings: Any, tenant: Tenant, api: Any) -> None:
    moved(tenant, "eu")
    upload(api)
    del settings.STORAGES["eu"]
    settings.STORAGES = dict(settings.STORAGES)
    for answer in (api.get("/scenarios/town/archive"), upload(api, content=archive(note="new"))):
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage.unavailable")
    with pytest.raises(ValidationError, match="REGION_STORAGES names no storage “eu”"):
        Cluster.objects.get(region="eu").full_clean()
    Cluster.objects.get(region="us").full_clean()
    Cluster.objects.get(pk=FIRST).full_clean()
