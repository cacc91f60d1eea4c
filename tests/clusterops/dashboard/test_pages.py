"""What the dashboard's pages show, to whom, and at what price."""

import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from clusterops.models import ReconcilerState
from simulations import attention, searching
from simulations.models import Job
from tenants.clusters import FIRST
from tests.clusterops.dashboard import seed

SESSION_QUERIES = 2
PERMISSION_QUERIES = 2  # of the user and of the groups, on pages with actions
Answers = Callable[[object], None]


@pytest.mark.django_db
def test_pages_only_read(staff_client: Client) -> None:
    assert staff_client.post("/cluster/").status_code == 405


def test_overview_shows_every_section(staff_client: Client, cluster_answers: Answers) -> None:
    rows = seed.fill()
    page = staff_client.get("/cluster/").content.decode()
    running, waiting, failed = rows[0], rows[9], rows[20]
    for shown in (
        "node-05.pool-a.example.net",
        "Joining",
        "Leaving",
        running.job_id.hex[:8],
        waiting.message,
        failed.job_id.hex[:8],
        failed.message.split("'")[0],
        running.tenant_id,
        "Database and cluster agree",
        "Cluster reachable",
    ):
        assert shown in page, shown
    assert "style=" not in page
    assert "<script>" not in page


def test_overview_without_a_cluster_keeps_the_database_half(staff_client: Client, cluster_answers: Answers) -> None:
    rows = seed.fill()
    cluster_answers(None)
    answer = staff_client.get("/cluster/")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "The cluster does not answer" in page
    assert "Last good answer" in page
    assert "Database and cluster agree" in page  # the reconciler has seen it seconds ago
    ReconcilerState.objects.update(cluster_reachable=False)
    page = staff_client.get("/cluster/").content.decode()
    assert "agree is not known" in page
    assert "Live" not in page
    assert rows[0].job_id.hex[:8] in page


def test_what_fails_pass_after_pass_stands_on_top(staff_client: Client, cluster_answers: Answers) -> None:
    seed.fill(jobs=0)
    assert "Nothing needs you." in staff_client.get("/cluster/").content.decode()
    seed.fill_troubles()
    page = staff_client.get("/cluster/").content.decode()
    assert 'id="attention-rows_failing"' in page
    assert "job 0f3c: RuntimeError: &lt;broken&gt;" in page
    assert "2 Kubernetes objects in a shape that cannot be read" in page


def test_empty_product_has_friendly_pages(staff_client: Client, cluster_answers: Answers) -> None:
    page = staff_client.get("/cluster/").content.decode()
    assert "Nothing runs." in page
    assert "The reconciler is silent" in page
    assert staff_client.get("/cluster/data/activity").json()["x"] == []


def test_charts_have_their_numbers_without_javascript(staff_client: Client, cluster_answers: Answers) -> None:
    job = next(row for row in seed.fill(jobs=60) if row.status == "SUCCEEDED")
    seed.store_results(job, rows=600)
    page = staff_client.get("/cluster/?hours=1").text
    assert 'href="/cluster/numbers?hours=1"' in page
    numbers = staff_client.get("/cluster/numbers?hours=1").text
    assert numbers.count("<table>") == 2
    assert "CPU cores allocatable" in numbers
    assert f"{timezone.now():%Y-%m-%d %H:}" in numbers
    assert f'href="/cluster/jobs/{job.pk}/numbers"' in staff_client.get(f"/cluster/jobs/{job.pk}/").text
    assert "Mean speed, km/h" in staff_client.get(f"/cluster/jobs/{job.pk}/numbers").text


def test_overview_costs_the_same_at_any_size(
    staff_client: Client,
    cluster_answers: Answers,
    django_assert_num_queries: DjangoAssertNumQueries,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attention, "FRESH_S", float("inf"))  # else asked once a second, on whichever page that falls
    seed.fill(tenants=60, jobs=600)  # beyond what is shown of each
    cluster_answers(seed.snapshot(50))
    attention.silence(timezone.now(), FIRST)
    with django_assert_num_queries(SESSION_QUERIES + 22):
        staff_client.get("/cluster/")
    with django_assert_num_queries(SESSION_QUERIES + 3):
        staff_client.get("/cluster/data/activity?hours=24")
    with django_assert_num_queries(SESSION_QUERIES + 3 + PERMISSION_QUERIES):
        staff_client.get("/cluster/jobs/?status=SUCCEEDED")
    job = Job.objects.filter(status="SUCCEEDED").first()
    assert job
    with django_assert_num_queries(SESSION_QUERIES + 4 + PERMISSION_QUERIES):
        staff_client.get(f"/cluster/jobs/{job.job_id}/")


@pytest.mark.parametrize("name", ["attention", "summary", "jobs", "nodes", "tenants"])
def test_sections_are_fragments(staff_client: Client, cluster_answers: Answers, name: str) -> None:
    seed.fill(jobs=30)
    answer = staff_client.get(reverse("cluster:section", args=[name]))
    assert answer.status_code == 200
    assert b"<html" not in answer.content


@pytest.mark.parametrize("address", ["/cluster/now/unknown/", f"/cluster/jobs/{uuid.UUID(int=2)}/"])
def test_unknown_is_not_found(staff_client: Client, cluster_answers: Answers, address: str) -> None:
    assert staff_client.get(address).status_code == 404


def test_tenants_are_cut_and_shown_on_demand(staff_client: Client, cluster_answers: Answers) -> None:
    seed.fill(tenants=40, jobs=30)
    assert "20 more." in staff_client.get("/cluster/now/tenants/").content.decode()
    everyone = staff_client.get("/cluster/tenants/").content.decode()
    assert "tenant-039" in everyone


def test_job_page_tells_the_whole_story(staff_client: Client, cluster_answers: Answers) -> None:
    job = next(row for row in seed.fill(jobs=40) if row.status == "SUCCEEDED")
    seed.store_results(job, rows=100)
    page = staff_client.get(f"/cluster/jobs/{job.job_id}/").content.decode()
    for shown in (
        job.message,
        "Mean travel time",
        "412.7 s",
        "summary.csv.gz",
        "Step #7100.00",
        str(job.job_id),
        "Submitted",
    ):
        assert shown in page, shown


def test_what_the_page_has_is_not_sent_again(staff_client: Client, cluster_answers: Answers) -> None:
    rows = seed.fill(jobs=30)
    address = "/cluster/now/jobs/"
    first = staff_client.get(address)
    again = staff_client.get(address, headers={"X-Seen": first["X-Seen"]})
    assert (again.status_code, again.content) == (204, b"")
    Job.objects.filter(pk=rows[10].pk).update(message="Now it waits for something else.")
    assert staff_client.get(address, headers={"X-Seen": first["X-Seen"]}).status_code == 200


def test_the_list_of_jobs_is_live_while_a_look_is_cheap(
    staff_client: Client, cluster_answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed.fill(jobs=60)
    job = Job.objects.filter(status="SUCCEEDED")[0]  # its row does not age
    page = staff_client.get("/cluster/jobs/?status=SUCCEEDED").content.decode()
    assert 'hx-get="/cluster/jobs/now/?status=SUCCEEDED"' in page
    first = staff_client.get("/cluster/jobs/now/?status=SUCCEEDED")
    assert first.content.decode() in page
    seen = {"X-Seen": first["X-Seen"]}
    assert staff_client.get("/cluster/jobs/now/?status=SUCCEEDED", headers=seen).status_code == 204
    Job.objects.filter(pk=job.pk).update(status="FAILED")
    answer = staff_client.get("/cluster/jobs/now/?status=SUCCEEDED", headers=seen)
    assert (answer.status_code, job.job_id.hex[:8] in answer.content.decode()) == (200, False)
    monkeypatch.setattr(searching, "SEARCHED", 2)
    assert "hx-get" not in staff_client.get("/cluster/jobs/?label=study").content.decode()


def test_polling_ends_with_the_job(staff_client: Client, cluster_answers: Answers) -> None:
    rows = seed.fill(jobs=40)
    one_each = {row.status: row for row in rows}
    statuses = {
        status: staff_client.get(f"/cluster/jobs/{row.job_id}/now/").status_code for status, row in one_each.items()
    }
    assert statuses.pop("PENDING") == statuses.pop("RUNNING") == 200
    assert set(statuses.values()) == {286}


def test_text_from_tenants_is_escaped(staff_client: Client, cluster_answers: Answers) -> None:
    job = seed.fill(jobs=1)[0]
    hostile = "<script>alert(1)</script>"
    Job.objects.filter(pk=job.pk).update(
        message=hostile, labels={hostile: hostile}, scenario_data={"scenario_id": hostile, hostile: hostile}
    )
    for address in ("/cluster/", "/cluster/jobs/", f"/cluster/jobs/{job.job_id}/"):
        assert "<script>alert" not in staff_client.get(address).content.decode()


@pytest.mark.parametrize(
    "query, expected",
    [
        ("", 40),
        ("?status=RUNNING", 9),
        ("?status=NONSENSE", 40),
        ("?tenant=nobody", 0),
        ("?cursor=nonsense", 40),
        ("?reason=OUT_OF_MEMORY&scenario=nothing", 0),
        ("?label=study%3Dpeak-hour&period=1h", 20),
        ("?label=study", 40),
        ("?q=PEAK-hour", 40),
        ("?q=%25", 0),
    ],
)
def test_job_list_filters(staff_client: Client, cluster_answers: Answers, query: str, expected: int) -> None:
    seed.fill(jobs=40)
    answer = staff_client.get(f"/cluster/jobs/{query}")
    assert answer.status_code == 200
    assert len(answer.context["rows"]) == expected


def test_job_list_finds_by_id_and_pages_without_gaps(staff_client: Client, cluster_answers: Answers) -> None:
    rows = seed.fill(jobs=120)
    for term in (rows[5].job_id.hex, str(rows[5].job_id)[:13], rows[5].job_id.hex[:8].upper(), str(rows[5].pk)[9:23]):
        found = staff_client.get(f"/cluster/jobs/?q={term}").context["rows"]
        assert [row.pk for row in found] == [rows[5].pk], term
    seen: list[uuid.UUID] = []
    before = ""
    while True:
        context = staff_client.get("/cluster/jobs/", {"cursor": before}).context
        seen += [row.pk for row in context["rows"]]
        if not (before := context["older"]):
            break
    assert seen == [row.pk for row in sorted(rows, key=lambda row: row.submitted_at, reverse=True)]
