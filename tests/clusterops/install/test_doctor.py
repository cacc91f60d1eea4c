"""`manage.py doctor`: well and unwell installations."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from clusterops.install import doctor
from clusterops.install.cluster_check import Verdict
from clusterops.models import ReconcilerState
from localcluster.cluster import LocalCluster
from tenants.clusters import Cluster
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def well(settings: Any, tmp_path: Path) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}
    settings.MEDIA_ROOT = tmp_path
    now = timezone.now()
    ReconcilerState.objects.create(pk=1, pass_finished_at=now, last_success_at=now, cluster_reachable=True)


def said(local_cluster: LocalCluster) -> tuple[str, str]:
    """What it wrote, and the error it ended with."""
    out = io.StringIO()
    try:
        call_command("doctor", kubeconfig=str(local_cluster.config.kubeconfig), stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_all_is_well(well: None, local_cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "VOLUME_FULL", 0.0)  # this machine's disk is not the subject
    text, error = said(local_cluster)
    assert error == "", text
    for subject in ("PostgreSQL's version", "cluster's clock", "nothing needs you", "all valid", "writes and reads"):
        assert subject in text
    assert default_storage.listdir("doctor")[1] == []


def test_what_needs_somebody_is_broken_with_what_to_do(well: None, local_cluster: LocalCluster) -> None:
    JobFactory(status="FAILED", reason="IMAGE_ERROR", finished_at=timezone.now())
    text, error = said(local_cluster)
    assert "BROKEN  Image error" in text
    assert "RUNNER_IMAGE" in text
    assert "broken: see the lines above" in error


def lost_storage(settings: Any) -> None:
    gone = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": "/proc/nowhere"}}
    settings.STORAGES = settings.STORAGES | {"default": gone}


def bad_index(settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'jobs_newest'::regclass")


def lost_region(settings: Any) -> None:
    settings.STORAGES = settings.STORAGES | {
        "eu": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": "/proc/nowhere"}}
    }


def unknown_region(settings: Any) -> None:
    Cluster.objects.create(name="far", storage="gone")


@pytest.mark.parametrize(
    ("look", "spoil", "subject"),
    [
        (doctor.storage, lost_storage, "storage"),
        (doctor.storage, lost_region, "storage eu"),
        (doctor.storage, unknown_region, "storage of far"),
        (doctor.database, bad_index, "indexes"),
    ],
)
def test_what_is_spoiled_is_found(
    well: None, settings: Any, look: Callable[[], Any], spoil: Callable[[Any], None], subject: str
) -> None:
    spoil(settings)
    (found,) = [each for each in look() if each.subject == subject]
    assert found.verdict is Verdict.MISSING


def test_clocks_that_differ_are_told() -> None:
    assert doctor._skew("x", timezone.now()).verdict is Verdict.OK
    assert "120 s apart" in doctor._skew("x", timezone.now() - timedelta(seconds=120)).text
