"""GET /jobs, GET /jobs/{job_id}, its events, cancel."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from simulations.api.serializers import JobSerializer
from simulations.models import Job
from tests.factories import JobFactory, ScenarioFactory

pytestmark = pytest.mark.django_db
T0 = datetime(2026, 1, 1, tzinfo=UTC)


def listed(api: Any, query: str = "") -> list[str]:
    answer = api.get(f"/jobs{query}")
    assert answer.status_code == 200, answer.json()
    return [row["labels"]["n"] for row in answer.json()["jobs"]]


@pytest.fixture
def jobs(tenant: Any, other_tenant: Any) -> list[Job]:
    """Five of the tenant, a minute apart but for the last two, and one of another."""
    town, village = (ScenarioFactory(tenant=tenant, scenario_id=name) for name in ("town", "village"))
    rows = [
        JobFactory(
            tenant=tenant,
            scenario=village if n == 1 else town,
            submitted_at=T0 + timedelta(minutes=min(n, 3)),
            labels={"n": str(n), "study": "bus" if n < 2 else "tram: x, y"},
        )
        for n in range(5)
    ]
    JobFactory(tenant=other_tenant, labels={"n": "theirs"})
    rows[0].move_to("RUNNING", reason="RUNNING", message="")
    rows[0].move_to("SUCCEEDED", reason="COMPLETED", message="")
    rows[1].move_to("RUNNING", reason="RUNNING", message="", dispatched_at=T0)
    return rows


def test_pages_cover_all_in_one_order(api: Any, jobs: list[Job]) -> None:
    seen, address = [], "/jobs?limit=2"
    while address:
        answer = api.get(address).json()
        seen += [row["job_id"] for row in answer["jobs"]]
        address = answer["next"]
    assert seen == [str(pk) for pk in Job.objects.filter(tenant="city-a").values_list("pk", flat=True)]
    assert len(seen) == 5


def test_filters(api: Any, jobs: list[Job]) -> None:
    assert sorted(listed(api)) == ["0", "1", "2", "3", "4"]
    assert listed(api, "?status=SUCCEEDED") == ["0"]
    assert listed(api, "?status=SUCCEEDED&status=RUNNING") == ["1", "0"]
    assert listed(api, "?status=SUCCEEDED,RUNNING") == ["1", "0"]
    assert listed(api, "?scenario_id=village") == ["1"]
    assert listed(api, "?label=study:bus") == ["1", "0"]
    assert listed(api, "?label=study:bus&label=n:0") == ["0"]
    assert sorted(listed(api, "?label=study:tram:%20x,%20y")) == ["2", "3", "4"]
    assert listed(api, "?submitted_since=2026-01-01T00:01:00Z&submitted_until=2026-01-01T00:02:00Z") == ["1"]
    assert listed(api, "?submitted_since=2026-01-01T02:02:00%2B02:00&submitted_until=2026-01-01T00:03:00Z") == ["2"]
    assert listed(api, "?label=nope:1") == []


def test_the_next_page_keeps_the_filters(api: Any, jobs: list[Job]) -> None:
    first = api.get("/jobs?label=study:bus&limit=1").json()
    assert [row["labels"]["n"] for row in api.get(first["next"]).json()["jobs"]] == ["0"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "limit=58542121081339912002732032", "limit=", "cursor=x", "cursor=",
        "cursor=WyIyMDI2LTAxLTAxIiwgMV0", "cursor=%00", "cursor=bnVsbA", "cursor=WzFd", "status=DONE", "status=",
        "label=a", "label=a:%00", "scenario_id=%00", "scenario_id=../x", "submitted_since=yesterday",
        "submitted_until=2026-13-01", "submitted_since=", "submitted_since=0001-01-01T00:00:00%2B14:00", "nonsense=1",
    ],
)  # fmt: skip
def test_bad_queries(api: Any, query: str) -> None:
    answer = api.get(f"/jobs?{query}")
    assert answer.status_code == 400, answer.json()
    assert answer.json()["error"]["details"][0]["where"].startswith(query.split("=")[0])


@pytest.mark.parametrize("query", ["2026-01-01T00:00:00+02:00", "2026-01-01%2000:00:00+0200", "2026-01-01T00:00+02"])
def test_a_plus_that_became_a_space_is_told(api: Any, admin_api: Any, query: str) -> None:
    for client, path in ((api, "/jobs?submitted_since="), (admin_api, "/admin/jobs?since=")):
        [entry] = client.get(path + query).json()["error"]["details"]
        assert entry["code"] == "plus"
        assert "%2B" in entry["message"]
        assert client.get(path + query.replace("+", "%2B")).status_code == 200


def test_bad_queries_are_listed_together(api: Any) -> None:
    details = api.get("/jobs?limit=x&status=DONE&nonsense=1&cursor=x").json()["error"]["details"]
    assert {entry["where"].split("[")[0] for entry in details} == {"limit", "status", "nonsense", "cursor"}


def queries_of(api: Any, path: str) -> tuple[int, Any]:
    api.get(path)  # once a minute the key's use is noted, once a second the reconciler's last look is asked for
    with CaptureQueriesContext(connection) as captured:
        answer = api.get(path).json()
    return len(captured), answer


def test_a_job_in_two_queries_and_its_place_in_one_more(api: Any, job: Job) -> None:
    queries, shown = queries_of(api, f"/jobs/{job.pk}")
    assert queries <= 3
    assert (shown["status"], shown["reason"], shown["queue_position"]) == ("PENDING", "QUEUED", 1)
    assert shown["submitted_at"].endswith("Z")
    assert (shown["status_as_of"], shown["silent_since"]) == (None, None)
    assert shown["links"]["results"] == f"/jobs/{job.pk}/results"
    job.move_to("CANCELLED", reason="CANCELLED", message="")
    queries, shown = queries_of(api, f"/jobs/{job.pk}")
    assert (queries <= 2, shown["queue_position"]) == (True, None)


def test_a_page_counts_all_places_at_once(api: Any, tenant: Any) -> None:
    scenario = ScenarioFactory(tenant=tenant)
    rows = [JobFactory(tenant=tenant, scenario=scenario, submitted_at=T0 + timedelta(minutes=n)) for n in range(5)]
    queries, shown = queries_of(api, "/jobs?limit=4")
    assert queries <= 3
    assert [(row["job_id"], row["queue_position"]) for row in shown["jobs"]] == [
        (str(rows[n].pk), n + 1) for n in (4, 3, 2, 1)
    ]


def test_an_answer_has_every_field_of_its_description(api: Any, job: Job) -> None:
    assert list(api.get(f"/jobs/{job.pk}").json()) == list(JobSerializer().fields)


def test_another_tenants_is_not_there(other_api: Any, job: Job) -> None:
    for path in ("", "/events", "/results"):
        assert other_api.get(f"/jobs/{job.pk}{path}").status_code == 404
    assert other_api.post(f"/jobs/{job.pk}/cancel").status_code == 404
    assert other_api.get("/jobs").json() == {"jobs": [], "next": None}
    job.refresh_from_db()
    assert job.cancel_requested_at is None


@pytest.mark.parametrize("path", ["x", "00000000-0000-0000-0000-000000000000", "%00", "1" * 5000])
def test_odd_addresses(api: Any, path: str) -> None:
    answer = api.get(f"/jobs/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


def test_cancel(api: Any, job: Job) -> None:
    first = api.post(f"/jobs/{job.pk}/cancel")
    assert first.status_code == 202
    wished = first.json()["cancel_requested_at"]
    assert wished is not None
    assert (first.json()["status"], first.json()["reason"]) == ("PENDING", "CANCELLING")
    assert api.get("/jobs").json()["jobs"][0]["reason"] == "CANCELLING"
    job.refresh_from_db()
    assert job.reason == "QUEUED"  # the reconciler's to change
    again = api.post(f"/jobs/{job.pk}/cancel", "nonsense", content_type="text/plain")
    assert (again.status_code, again.json()["cancel_requested_at"]) == (202, wished)
    job.move_to("CANCELLED", reason="CANCELLED", message="")
    ended = api.post(f"/jobs/{job.pk}/cancel")
    assert (ended.status_code, ended.json()["error"]["code"]) == (409, "job.finished")


def test_events(api: Any, job: Job) -> None:
    job.move_to("RUNNING", reason="RUNNING", message="Simulating.")
    events = api.get(f"/jobs/{job.pk}/events").json()["events"]
    assert [(event["status"], event["message"]) for event in events] == [
        ("PENDING", "Submitted."),
        ("RUNNING", "Simulating."),
    ]
    assert events[0]["at"] == api.get(f"/jobs/{job.pk}").json()["submitted_at"]
