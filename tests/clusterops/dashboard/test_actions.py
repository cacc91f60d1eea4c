"""What staff may do from the dashboard, who may, and what the history says of it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from clusterops.models import AttentionSilence
from simulations.models import Job
from tests.clusterops.dashboard import seed
from tests.factories import JobFactory, ScenarioFactory, TenantFactory

Answers = Callable[[object], None]
POSTS = ("/cluster/jobs/cancel", "/cluster/jobs/rerun", "/cluster/attention/image_error/silence")


@pytest.fixture
def operator(client: Client, staff: User) -> Client:
    staff.groups.add(Group.objects.get(name="Operators"))
    client.force_login(staff)
    return client


@pytest.fixture
def job(db: None) -> Job:
    tenant = TenantFactory(max_memory_gi=4)
    inspection = {"config": "run.sumocfg", "configs": {"run.sumocfg": {"begin": 0, "end": 60, "problems": []}}}
    scenario = ScenarioFactory(tenant=tenant, inspection=inspection)
    ended = {"status": "FAILED", "reason": "OUT_OF_MEMORY", "finished_at": timezone.now()}
    return JobFactory(tenant=tenant, scenario=scenario, memory_gi=2, labels={"study": "bus"}, **ended)


@pytest.mark.parametrize("address", POSTS)
def test_looking_is_not_doing(support: Client, client: Client, address: str) -> None:
    assert support.post(address).status_code == 403
    assert support.get(address).status_code == 405
    assert Client().post(address)["Location"].startswith("/admin/login/")


def test_chosen_jobs_are_asked_to_end_once_it_is_confirmed(
    operator: Client, db: None, cluster_answers: Answers
) -> None:
    waiting, other = JobFactory(), JobFactory()
    ended = JobFactory(tenant=waiting.tenant, status="FAILED", finished_at=timezone.now())
    back = "/cluster/jobs/?status=PENDING"
    chosen = {"job": [waiting.pk, ended.pk, other.pk, "nonsense"], "next": back}
    asked = operator.post("/cluster/jobs/cancel", chosen).content.decode()
    assert "<h1>Cancel 2 jobs of 2 tenants?</h1>" in asked
    assert f"<strong>{waiting.tenant_id}</strong>: 1 job" in asked
    assert "1 more that you chose has ended" in asked
    assert f'<a href="{back}">' in asked
    assert not Job.objects.exclude(cancel_requested_at=None).exists()
    answer = operator.post("/cluster/jobs/cancel", chosen | {"confirmed": "1"}, follow=True)
    assert answer.redirect_chain[0][0] == back
    assert "2 jobs asked to end; each ends within seconds. 1 had ended" in answer.content.decode()
    assert Job.objects.exclude(cancel_requested_at=None).count() == 2
    assert set(LogEntry.objects.values_list("object_id", flat=True)) == {str(waiting.pk), str(other.pk)}
    again = operator.post("/cluster/jobs/cancel", chosen, follow=True)
    assert "Nothing to cancel" in again.content.decode()


@pytest.mark.parametrize("act", ["cancel", "rerun"])
def test_nothing_chosen_is_told_as_that(operator: Client, cluster_answers: Answers, act: str) -> None:
    answer = operator.post(f"/cluster/jobs/{act}", {"job": "nonsense"}, follow=True)
    assert "Choose at least one job." in answer.content.decode()


def test_the_search_of_all_pages_begins_empty_on_a_list(operator: Client, job: Job, cluster_answers: Answers) -> None:
    page = operator.get("/cluster/jobs/?label=study").content.decode()
    assert 'placeholder="Search" value=""' in page


def test_a_job_runs_again_as_it_was_with_more_memory_where_allowed(
    operator: Client, job: Job, cluster_answers: Answers
) -> None:
    answer = operator.post("/cluster/jobs/rerun", {"job": job.pk, "memory": "more", "from": "page"})
    new = Job.objects.get(status="PENDING")
    assert answer["Location"] == f"/cluster/jobs/{new.pk}/"
    assert (new.memory_gi, new.labels, new.scenario_data["seed"]) == (4, {"study": "bus"}, 1)
    answer = operator.post("/cluster/jobs/rerun", {"job": new.pk, "memory": "more"}, follow=True)
    assert "this tenant may use at most 4 Gi" in answer.content.decode()
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("status", "reason", "offered"),
    [("FAILED", "OUT_OF_MEMORY", True), ("FAILED", "INVALID_SCENARIO", False), ("SUCCEEDED", "COMPLETED", False)],
)
def test_more_memory_is_offered_where_it_may_help(
    operator: Client, job: Job, cluster_answers: Answers, status: str, reason: str, offered: bool
) -> None:
    Job.objects.filter(pk=job.pk).update(status=status, reason=reason)
    page = operator.get(f"/cluster/jobs/{job.pk}/").content.decode()
    assert "Run again<" in page
    assert ('value="more"' in page) is offered


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(operator: Client, cluster_answers: Answers, back: str) -> None:
    assert operator.post("/cluster/jobs/cancel", {"next": back})["Location"] == "/cluster/jobs/"


def test_a_cause_is_silenced_and_told_again(operator: Client, job: Job, cluster_answers: Answers) -> None:
    Job.objects.update(reason="IMAGE_ERROR")
    page = "/cluster/attention/image_error/"
    assert job.tenant_id in operator.get(page).content.decode()
    for _ in range(2):
        operator.post(f"{page}silence", {"span": "8h", "tenant": job.tenant_id})
    silence = AttentionSilence.objects.get()
    assert silence.until - timezone.now() > timedelta(hours=7)
    assert f"{job.tenant_id} until" in operator.get(page).content.decode()
    assert "attention-image_error" not in operator.get("/cluster/").content.decode()
    operator.post(f"{page}silence", {"span": "none"})
    assert "attention-image_error" in operator.get("/cluster/").content.decode()
    assert operator.get("/cluster/attention/nonsense/").status_code == 404
    assert operator.post(f"{page}silence", {"span": "1h", "tenant": "nobody"}).status_code == 404


def test_files_are_for_who_may_see_them(operator: Client, staff: User, job: Job) -> None:
    seed.store_results(job, rows=10)
    address = f"/cluster/jobs/{job.pk}/files/"
    answer = operator.get(f"{address}statistics.xml.gz")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith("attachment")
    assert b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert operator.get(f"{address}nothing").status_code == 404
    staff.groups.clear()
    assert operator.get(f"{address}statistics.xml.gz").status_code == 403


def test_a_log_is_searched(operator: Client, job: Job, cluster_answers: Answers) -> None:
    seed.store_results(job, rows=10)
    text = operator.get(f"/cluster/jobs/{job.pk}/log/", {"find": "step #7100"}).content.decode()
    assert "72: Step #7100.00" in text
    assert "Step #100.00" not in text
    assert "1 of them contain" in text


def test_chosen_jobs_of_one_tenant_are_compared(support: Client, job: Job) -> None:
    other = JobFactory(tenant=job.tenant, scenario=job.scenario, status="SUCCEEDED", finished_at=timezone.now())
    chosen = [str(job.pk), str(other.pk)]
    answer = support.post("/cluster/jobs/compare", {"job": chosen})
    assert answer["Location"].startswith(f"/t/{job.tenant_id}/compare?jobs={job.pk}%2C")
    assert support.get(answer["Location"]).status_code == 200
    for wrong in (chosen[:1], [chosen[0], str(JobFactory().pk)]):
        assert support.post("/cluster/jobs/compare", {"job": wrong})["Location"] == "/cluster/jobs/"
