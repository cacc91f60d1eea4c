"""GET /admin/cluster, /admin/jobs and /admin/activity: the specification's shapes, to admins only."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from simulations.models import Job
from tests.clusterops.dashboard import seed
from tests.clusterops.dashboard.conftest import cluster_answers as cluster_answers
from tests.factories import JobFactory

ADDRESSES = ["/admin/cluster", "/admin/jobs", "/admin/activity"]
KEY_QUERIES = 2  # the key, and its use noted
Answers = Callable[[object], None]


@pytest.mark.parametrize("address", ADDRESSES)
def test_for_admins_only(client: Client, api: APIClient, cluster_answers: Answers, address: str) -> None:
    assert client.get(address).status_code == 401
    refused = api.get(address)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "forbidden"
    client.force_login(User.objects.create_user("visitor"))
    assert client.get(address).status_code == 401
    client.force_login(User.objects.create_user("nora", is_staff=True))
    assert client.get(address).status_code == 200


def test_cluster_has_the_specified_shape(admin_api: APIClient, cluster_answers: Answers) -> None:
    answer = admin_api.get("/admin/cluster").json()
    assert answer["total_nodes"] == len(answer["nodes"]) == 6
    node = answer["nodes"][0]
    assert node["status"] == ["Ready"]
    assert node["capacity"] == {"cpu": "16", "memory": "64Gi"}
    assert node["allocatable"] == {"cpu": "7.9", "memory": "60Gi"}
    assert node["pods_running"] == 0
    assert node["created"].endswith("Z")
    assert [answer["nodes"][n]["status"] for n in (2, 3)] == [["NotReady"], ["Ready", "SchedulingDisabled"]]
    assert answer["cluster"]["reachable"] is True


def test_what_fails_pass_after_pass_is_told(admin_api: APIClient, cluster_answers: Answers) -> None:
    assert admin_api.get("/admin/cluster").json()["reconciler"] == {
        "pass_finished_at": None, "error": "", "unreadable": 0, "failing": 0, "troubles": [],
    }  # fmt: skip
    seed.fill_troubles()
    told = admin_api.get("/admin/cluster").json()["reconciler"]
    assert (told["failing"], told["unreadable"]) == (1, 2)
    assert told["troubles"] == [seed.TROUBLE]


def test_jobs_have_the_specified_shape(admin_api: APIClient, cluster_answers: Answers) -> None:
    job = JobFactory(status="RUNNING", started_at=timezone.now(), reason="RUNNING")
    other = JobFactory()
    counters = {f"{job.k8s_namespace}/{job.k8s_job_name}": {"active": 1, "succeeded": 0, "failed": 0}}
    cluster_answers(replace(seed.snapshot(), job_counters=counters))
    answer = admin_api.get("/admin/jobs?status=RUNNING").json()
    assert answer["total"] == 1
    (found,) = answer["jobs"]
    assert found["job_id"] == str(job.job_id)
    assert found["tenant_id"] == job.tenant_id
    assert found["namespace"] == job.k8s_namespace
    assert found["status"] == "RUNNING"
    assert found["submitted_at"].endswith("Z")
    assert found["k8s_status"] == {"active": 1, "succeeded": 0, "failed": 0}
    waiting = admin_api.get(f"/admin/jobs?tenant={other.tenant_id}").json()["jobs"]
    assert [row["k8s_status"] for row in waiting] == [None]


def test_activity_has_the_specified_shape(admin_api: APIClient, cluster_answers: Answers) -> None:
    JobFactory()
    answer = admin_api.get("/admin/activity").json()
    assert answer["nodes"] == 6
    assert answer["pods"] == {"Running": 14, "Pending": 3, "Succeeded": 12}
    assert answer["k8s_jobs"] == {"total": 29, "active": 17, "succeeded": 11, "failed": 1}
    assert answer["db_jobs"] == {"PENDING": 1, "RUNNING": 0, "SUCCEEDED": 0, "FAILED": 0, "CANCELLED": 0}
    assert answer["timestamp"].endswith("Z")


def test_without_a_cluster_the_database_half_is_answered(admin_api: APIClient, cluster_answers: Answers) -> None:
    JobFactory()
    admin_api.get("/admin/cluster")
    cluster_answers(None)
    for address in ADDRESSES:
        answer = admin_api.get(address)
        assert answer.status_code == 200
        assert answer.json()["cluster"]["reachable"] is False
        assert answer.json()["cluster"]["last_good_at"].endswith("Z")
    assert admin_api.get("/admin/cluster").json()["nodes"] is None
    assert admin_api.get("/admin/jobs").json()["total"] == 1
    assert admin_api.get("/admin/activity").json()["db_jobs"]["PENDING"] == 1


def test_pages_follow_each_other_without_gaps(admin_api: APIClient, cluster_answers: Answers) -> None:
    rows = seed.fill(jobs=45)
    seen: list[str] = []
    address: str | None = "/admin/jobs?limit=10"
    while address:
        answer = admin_api.get(address).json()
        assert answer["total"] == 45
        seen += [row["job_id"] for row in answer["jobs"]]
        address = answer["next"]
    assert seen == [str(row.pk) for row in sorted(rows, key=lambda row: row.submitted_at, reverse=True)]


def test_since_is_inclusive(admin_api: APIClient, cluster_answers: Answers) -> None:
    moment = timezone.now()
    JobFactory(submitted_at=moment)
    JobFactory(submitted_at=moment - timedelta(seconds=1))
    answer = admin_api.get("/admin/jobs", {"since": moment.isoformat()}).json()
    assert answer["total"] == 1


@pytest.mark.parametrize(
    "query", ["status=DONE", "since=yesterday", "limit=0", "limit=1e9", "cursor=x", "sinse=2026-01-01", "tenant=%00"]
)
def test_bad_questions_are_named(admin_api: APIClient, cluster_answers: Answers, query: str) -> None:
    answer = admin_api.get(f"/admin/jobs?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["where"] == query.split("=")[0]


def test_price_does_not_grow(
    admin_api: APIClient, cluster_answers: Answers, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    seed.fill(tenants=30, jobs=200)
    for address, queries in (("/admin/cluster", 3), ("/admin/jobs", 3), ("/admin/activity", 2)):
        admin_api.get(address)
        with django_assert_num_queries(KEY_QUERIES - 1 + queries):
            admin_api.get(address)
    assert Job.objects.count() == 200


def test_the_django_admin_still_has_the_rest(client: Client, db: None) -> None:
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.get("/admin")["Location"] == "/admin/"
