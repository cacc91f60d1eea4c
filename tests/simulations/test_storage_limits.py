"""What a tenant may keep: counted where it is stored and deleted, never overshot, mended when it is wrong."""

import hashlib
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from simulations import files
from simulations.models import Artifact, Job, Scenario, TenantStorage
from simulations.services.curation import share_scenario
from simulations.services.retention import erase_tenant
from simulations.services.storage import mend_counts, uses_of
from tenants.models import Tenant
from tests.conftest import client_with
from tests.factories import JobFactory, issue_key
from tests.simulations.api.test_runner import Runner
from tests.simulations.conftest import MANY
from tests.simulations.scenarios import archive, upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def storage_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def counted(tenant_id: str = "city-a") -> tuple[int, int]:
    """(bytes of results, of scenarios)"""
    results, scenarios = uses_of(tenant_id)
    return results.used_bytes, scenarios.used_bytes


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_scenarios_count_once_per_content_and_tenant(api: Any, other_api: Any) -> None:
    first, second = archive(), archive(note="b")
    upload(api, "town", first)
    upload(api, "village", first)
    upload(api, "town", second)
    assert counted() == (0, len(first) + len(second))
    upload(other_api, "theirs", first)
    assert counted("city-b") == (0, len(first))
    share_scenario(scenario=Scenario.objects.get(tenant="city-b"))
    assert counted("city-b") == (0, len(first))
    api.delete("/scenarios/town")
    assert counted() == (0, len(first))
    api.delete("/scenarios/village")
    assert counted() == (0, 0)
    assert mend_counts() == []


def test_results_count_until_they_are_deleted(api: Any, job: Job) -> None:
    runner = Runner(job.pk)
    runner.store("sumo.log", b"x" * 10)
    runner.store("sumo.log", b"x" * 7)  # the replacement of an evicted pod
    runner.store("a", b"x" * 5)
    assert counted()[0] == 12
    job.move_to("SUCCEEDED", reason="COMPLETED", message="")
    Job.objects.update(finished_at=timezone.now() - timedelta(days=100))
    call_command("prune", "--days", "90", stdout=StringIO())
    assert counted()[0] == 0
    assert mend_counts() == []


def test_a_full_store_refuses_scenarios_and_leaves_nothing(api: Any, settings: Any) -> None:
    first = archive()
    settings.TENANT_MAX_SCENARIO_BYTES = len(first) + 10
    assert upload(api, "town", first).status_code == 201
    second = archive(note="b")
    assert refused(upload(api, "town", second)) == (413, "scenarios.tenant_limit")
    assert not files.has(files.scenario_name(hashlib.sha256(second).hexdigest(), store=files.DEFAULT), len(second))
    assert upload(api, "again", first).status_code == 201  # takes no more room
    api.delete("/scenarios/town")
    api.delete("/scenarios/again")
    assert upload(api, "town", second).status_code == 201


def test_a_full_store_of_scenarios_costs_no_run_its_results(api: Any, job: Job, settings: Any) -> None:
    settings.TENANT_MAX_SCENARIO_BYTES = 1
    assert Runner(job.pk).store("a", b"x").status_code == 201


@pytest.mark.parametrize("share", [0.79, 0.81])
def test_a_warning_from_eighty_per_cent_on(api: Any, settings: Any, share: float) -> None:
    content = archive()
    settings.TENANT_MAX_SCENARIO_BYTES = int(len(content) / share)
    storage = upload(api, "town", content).json()["storage"]
    assert storage["scenarios"] == {"used_bytes": len(content), "limit_bytes": int(len(content) / share)}
    assert storage["results"]["used_bytes"] == 0
    assert [text.startswith("Your scenarios take 81% of") for text in storage["warnings"]] == [True] * (share > 0.8)
    assert api.get("/tenants/me/dashboard").json()["storage"] == storage


def test_results_are_bounded_in_number(api: Any, job: Job, settings: Any) -> None:
    settings.JOB_MAX_OUTPUT_FILES = 2
    runner = Runner(job.pk)
    assert [runner.store(name, b"x").status_code for name in ("a", "b", "a")] == [201, 201, 200]
    assert refused(runner.store("c", b"x")) == (413, "results.too_many")
    assert runner.store("manifest.json", b"{}").status_code == 201
    assert counted()[0] == 4


def test_many_results_at_once_do_not_overshoot(tenant: Tenant, at_once: Any, settings: Any) -> None:
    settings.TENANT_MAX_RESULT_BYTES = 100
    runners = [Runner(JobFactory(tenant=tenant, status="RUNNING").pk) for _ in range(MANY)]
    answers = at_once(lambda number: runners[number].store("a", bytes([number]) * 9))
    assert sorted(answer.status_code for answer in answers) == [201] * 11 + [413] * (MANY - 11)
    assert counted()[0] == 99
    kept = {str(row.file) for row in Artifact.objects.all()}
    folders, _ = default_storage.listdir("results")
    stored = {f"results/{job}/1/{name}" for job in folders for name in default_storage.listdir(f"results/{job}/1")[1]}
    assert stored == kept
    mend_counts()
    assert counted()[0] == 99


def test_many_scenarios_at_once_do_not_overshoot(tenant: Tenant, at_once: Any, settings: Any) -> None:
    key = issue_key(tenant)
    room = len(archive(note="10"))
    settings.TENANT_MAX_SCENARIO_BYTES = room * 5

    def come(number: int) -> int:
        return upload(client_with(key), f"town{number}", archive(note=str(10 + number % 25))).status_code

    codes = at_once(come)
    assert set(codes) == {201, 413}
    assert counted()[1] == room * 5
    assert mend_counts() == []


def test_wrong_counts_are_mended(api: Any, job: Job) -> None:
    Runner(job.pk).store("a", b"x" * 5)
    right = counted()
    TenantStorage.objects.update(result_bytes=77, scenario_bytes=1)
    assert mend_counts() == ["city-a"]
    assert counted() == right
    TenantStorage.objects.all().delete()
    out = StringIO()
    call_command("prune", "--days", "90", stdout=out)
    assert "Mended the storage count of 1 tenant(s): city-a." in out.getvalue()
    assert counted() == right


def test_counts_go_with_their_tenant(tenant: Tenant, api: Any, job: Job) -> None:
    Runner(job.pk).store("a", b"x")
    job.move_to("FAILED", reason="LOST", message="")
    erase_tenant(tenant=tenant)
    assert not TenantStorage.objects.exists()


def test_a_tenants_own_limit_comes_before_the_services(api: Any, tenant: Tenant) -> None:
    Tenant.objects.update(max_scenario_gib=0)
    answer = upload(api, "town", archive())
    assert refused(answer) == (413, "scenarios.tenant_limit")
    Tenant.objects.update(max_scenario_gib=1)
    told = upload(api, "town", archive()).json()["storage"]["scenarios"]
    assert told["limit_bytes"] == 2**30
