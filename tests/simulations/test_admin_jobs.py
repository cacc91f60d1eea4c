"""Jobs in the admin: looked at, found, cancelled; never written."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from simulations import attention
from simulations.models import Artifact, Job, JobEvent
from tenants import history
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:simulations_job_changelist")


def listed(client, query: str) -> set[str]:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return {str(job.pk) for job in answer.context["cl"].result_list}


@pytest.fixture
def jobs(tenant, other_tenant):
    now = timezone.now()
    return {
        "peak": JobFactory(
            tenant=tenant, scenario=ScenarioFactory(tenant=tenant, scenario_id="zurich_peak"), labels={"study": "bus-7"}
        ),
        "failed": JobFactory(
            tenant=other_tenant, status="FAILED", reason="OUT_OF_MEMORY", message="Too small.", finished_at=now
        ),
        "running": JobFactory(tenant=other_tenant, status="RUNNING", reason="RUNNING", labels={"study": "tram"}),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=zurich", {"peak"}),
        ("q=bus-7", {"peak"}),
        ("q=study%3Dtram", {"running"}),
        ("q=study%3D", set()),
        ("q=%E2%80%9C%22'%3B", set()),
        ("status__exact=FAILED", {"failed"}),
        ("reason__exact=OUT_OF_MEMORY", {"failed"}),
        ("tenant__tenant_id__exact=city-a", {"peak"}),
        ("finished_at__gte=2020-01-01%2000:00:00%2B00:00&status__exact=FAILED", {"failed"}),
        ("o=4.1", {"peak", "failed", "running"}),
    ],
)
def test_search_and_filters(support, jobs, query, names):
    assert listed(support, query) == {str(jobs[name].pk) for name in names}


def test_found_by_whole_and_shortened_id(support, jobs):
    job_id = str(jobs["peak"].pk)
    for term in (job_id, jobs["peak"].pk.hex, job_id[:13], job_id[:13].upper()):
        assert listed(support, f"q={term}") == {job_id}


def test_a_job_leads_to_its_live_page(support, jobs):
    job = jobs["failed"]
    JobEvent.objects.create(job=job, status="FAILED", reason="OUT_OF_MEMORY", message="Too small.")
    Artifact.objects.create(job=job, attempt=1, name="sumo.log", file="x", size_bytes=2048, sha256="ab")
    text = support.get(reverse("admin:simulations_job_change", args=[job.pk])).content.decode()
    assert f'href="/cluster/jobs/{job.pk}/"' in text
    assert "Too small." in text
    assert "sumo.log" in text
    assert 'name="_save"' not in text


def test_superusers_cannot_write_either(superuser, jobs):
    url = reverse("admin:simulations_job_change", args=[jobs["peak"].pk])
    assert superuser.post(url, {"status": "SUCCEEDED"}).status_code == 403
    assert superuser.get(reverse("admin:simulations_job_add")).status_code == 403
    assert superuser.post(reverse("admin:simulations_job_delete", args=[jobs["peak"].pk])).status_code == 403


def test_cancel_writes_the_wish_alone(superuser, jobs):
    chosen = [job.pk for job in jobs.values()]
    answer = superuser.post(LIST, {"action": "cancel", "_selected_action": chosen}, follow=True)
    (message,) = answer.context["messages"]
    assert str(message).startswith("Asked 2 job(s) to end")
    assert "1 had ended" in str(message)
    peak = Job.objects.get(pk=jobs["peak"].pk)
    assert (peak.status, peak.reason) == ("PENDING", "QUEUED")
    assert peak.cancel_requested_at
    entries = LogEntry.objects.all()
    assert {entry.object_id for entry in entries} == {str(jobs["peak"].pk), str(jobs["running"].pk)}
    assert entries[0].change_message == "asked to end"


def test_however_many_are_chosen_few_are_read(superuser, jobs, tenant, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(history, "HISTORY_ROWS", 5)
    for _ in range(20):
        JobFactory(tenant=tenant)
    across = {"action": "cancel", "_selected_action": [jobs["peak"].pk], "select_across": "1"}
    with django_assert_max_num_queries(20):
        answer = superuser.post(f"{LIST}?tenant__tenant_id__exact=city-a", across, follow=True)
    (message,) = answer.context["messages"]
    assert str(message) == "Asked 21 job(s) to end; each ends within seconds."
    assert Job.objects.exclude(cancel_requested_at=None).count() == 21
    entry = LogEntry.objects.get()
    assert (entry.object_repr, entry.object_id) == ("21 jobs", None)
    assert entry.change_message == "asked to end"
    assert "21 jobs" in superuser.get(reverse("admin:admin_logentry_changelist")).content.decode()


def test_a_search_bounds_what_is_cancelled(superuser, jobs):
    across = {"action": "cancel", "_selected_action": [jobs["peak"].pk], "select_across": "1"}
    superuser.post(f"{LIST}?q=zurich", across)
    assert Job.objects.exclude(cancel_requested_at=None).get() == jobs["peak"]


@pytest.mark.parametrize("who", ["support", "quota_editor"])
def test_lookers_do_not_cancel(who, request, jobs):
    request.getfixturevalue(who).post(LIST, {"action": "cancel", "_selected_action": jobs["peak"].pk})
    assert not Job.objects.exclude(cancel_requested_at=None).exists()


def test_the_list_asks_the_same_questions_however_long(
    support, jobs, tenant, django_assert_max_num_queries, monkeypatch
):
    monkeypatch.setattr(attention, "FRESH_S", float("inf"))  # else asked once a second, on a busy machine in between
    support.get(LIST)
    for _ in range(60):
        JobFactory(tenant=tenant)
    with django_assert_max_num_queries(8):  # session, user, permissions (2), tenants for the filter, counts, rows
        support.get(LIST)
