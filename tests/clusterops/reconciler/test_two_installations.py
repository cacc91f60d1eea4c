"""Two installations on one cluster: each sees, changes and deletes its own objects only, whatever their names."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from clusterops import installation
from clusterops.gateway import MERGE, Gateway, path_of
from clusterops.models import Installation, TenantNamespace
from clusterops.objects import manifests
from clusterops.reconciler import strays
from simulations.models import Job
from tenants.models import Tenant
from tests.clusterops.reconciler.conftest import Loop
from tests.factories import TenantFactory

pytestmark = pytest.mark.local_cluster

Elsewhere = Callable[[str], AbstractContextManager[Loop]]


@pytest.fixture
def elsewhere(settings: Any, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """Another installation's reconciler, on a database that does not know our jobs."""
    monkeypatch.setattr(strays, "GRACE", timedelta(0))

    @contextmanager
    def _elsewhere(name: str) -> Iterator[Loop]:
        ours = settings.INSTALLATION_ID
        with transaction.atomic():
            Job.objects.all().delete()
            TenantNamespace.objects.all().delete()
            settings.INSTALLATION_ID = name
            try:
                yield Loop(gateway)
            finally:
                settings.INSTALLATION_ID = ours
                transaction.set_rollback(True)

    return _elsewhere


def test_the_same_tenant_in_both_loses_nothing(loop, submit, gateway, city, elsewhere: Elsewhere, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    loop.until_reason(job, "RUNNING")
    with elsewhere("staging") as other:
        theirs = submit()
        for _ in range(3):
            other.memory.done_at.clear()
            counts = other.once().counts
            assert (counts.runs, counts.strays, counts.deleted, counts.repaired) == (0, 0, 0, 0)
        theirs.refresh_from_db()
        assert (theirs.status, theirs.reason) == ("PENDING", "QUEUED")
        assert "belongs to another installation, tests" in theirs.message
        assert "NAMESPACE_PREFIX" in theirs.message
    labels = gateway.api.request("GET", path_of("namespaces", name=city.namespace))["metadata"]["labels"]
    assert labels["sumok8.io/installation"] == "tests"
    go.touch()
    loop.until_ended(job)
    assert (job.status, job.attempt) == ("SUCCEEDED", 1)


def test_with_names_of_their_own_both_work_side_by_side(loop, submit, gateway, elsewhere: Elsewhere, tmp_path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    loop.until_reason(job, "RUNNING")
    with elsewhere("staging") as other:
        tenant = TenantFactory(namespace=f"staging-{job.tenant_id}")
        theirs = submit(tenant)
        other.until_ended(theirs)
        assert theirs.status == "SUCCEEDED"
        [run] = [run for run in gateway.list_runs() if run.namespace == tenant.namespace]
        assert run.job_id == theirs.job_id.hex
        assert gateway.snapshot().job_counters.keys() == {f"{tenant.namespace}/{theirs.k8s_job_name}"}
    job.refresh_from_db()
    assert job.status == "RUNNING"
    loop.once()
    assert not [run for run in gateway.list_runs() if run.namespace == tenant.namespace]
    go.touch()
    loop.until_ended(job)


def without_label(gateway: Gateway, tenant: Tenant) -> None:
    """As an earlier version left them."""
    body = {"metadata": {"labels": {"sumok8.io/installation": None}}}
    kinds = ("pods", "jobs", *manifests.tenant_kinds())
    places = [
        path_of(kind, tenant.namespace, item["metadata"]["name"])
        for kind in kinds
        for item in gateway.api.items(path_of(kind, tenant.namespace))
    ]
    for path in (*places, path_of("namespaces", name=tenant.namespace)):
        gateway.api.request("PATCH", path, body=body, content_type=MERGE)


@pytest.fixture
def adopt(fate_cluster) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("adopt_cluster", *arguments, "--kubeconfig", str(fate_cluster.config.kubeconfig), stdout=out)
        return out.getvalue()

    return run


def test_what_an_earlier_version_made_is_kept_and_adopted(loop, submit, gateway, city, adopt, tmp_path: Path) -> None:
    go = tmp_path / "go"
    job = submit(hold=str(go))
    loop.until_reason(job, "RUNNING")
    without_label(gateway, city)
    waiting = submit()
    for _ in range(2):
        loop.memory.done_at.clear()
        assert loop.once().counts.deleted == 0
    job.refresh_from_db()
    assert job.status == "RUNNING"
    assert "adopt_cluster" in TenantNamespace.objects.get(tenant=city).problem

    assert f"{city.namespace}: 7 object(s) would be adopted." in adopt("--dry-run")
    assert f"{city.namespace}: 7 object(s) are adopted." in adopt()
    assert f"{city.namespace}: 0 object(s) are adopted." in adopt()
    loop.memory.done_at.clear()
    go.touch()
    loop.until_ended(job, waiting)
    assert (job.status, waiting.status) == ("SUCCEEDED", "SUCCEEDED")
    assert TenantNamespace.objects.get(tenant=city).problem == ""


def test_a_renamed_installation_takes_its_own_along_and_a_copy_takes_nothing(
    loop, submit, city, adopt, settings, gateway
) -> None:
    loop.until_ended(submit())
    Installation.objects.all().delete()
    assert installation.confirm() == "tests"
    settings.INSTALLATION_ID = "production"
    with pytest.raises(installation.WrongInstallation, match="belongs to the installation tests"):
        installation.confirm()
    assert f"{city.namespace}: belongs to tests; left alone." in adopt()
    assert installation.confirm() == "production"
    assert "object(s) are adopted" in adopt("--from", "tests")
    loop.memory.done_at.clear()
    assert loop.once().counts.repaired == 0
    [run] = [run for run in gateway.list_runs() if run.namespace == city.namespace]
    assert run.reason == ""


def test_a_namespace_made_anew_by_another_hand_is_not_adopted(loop, submit, city, gateway, adopt) -> None:
    loop.until_ended(submit())
    TenantNamespace.objects.update(uid="another")
    without_label(gateway, city)
    assert f"{city.namespace}: is not the one" in adopt()


def test_without_a_setting_the_first_start_makes_an_id_that_stays(db, settings) -> None:
    settings.INSTALLATION_ID = ""
    installation._kept.cache_clear()
    made = installation.confirm()
    assert len(made) == 12
    assert installation.own_id() == installation.confirm() == made
    assert f"app.kubernetes.io/managed-by=sumok8,sumok8.io/installation={made}," in installation.selector()
    installation._kept.cache_clear()


def test_an_id_that_is_no_label_is_refused(db, settings) -> None:
    settings.INSTALLATION_ID = "Staging!"
    with pytest.raises(CommandError, match="1 to 63 of a-z"):
        call_command("reconcile_jobs", "--once")
