"""GET /jobs/{id} by the short way and by the view: nobody can tell which one it was."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings
from prometheus_client import REGISTRY

from simulations.models import Job
from tenants.models import ApiKey, Tenant
from tests.conftest import client_with
from tests.factories import JobFactory

pytestmark = pytest.mark.django_db
LONG_WAY = [each for each in settings.MIDDLEWARE if each != "sumok8.one_job.OneJobMiddleware"]
PER_REQUEST = ("X-Request-ID", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def both_ways(api: Any, path: str, **headers: str) -> list[Any]:
    short = api.get(path, **headers)
    with override_settings(MIDDLEWARE=LONG_WAY):
        return [short, api.get(path, **headers)]


def same(short: Any, long: Any) -> bool:
    told = [{name: text for name, text in answer.items() if name not in PER_REQUEST} for answer in (short, long)]
    return (short.status_code, short.content, told[0]) == (long.status_code, long.content, told[1])


@pytest.fixture
def job(tenant: Tenant) -> Job:
    return JobFactory(tenant=tenant)


@pytest.fixture
def the_view_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulations.api.jobs.JobView.retrieve", lambda *_, **__: pytest.fail("the view was asked"))


def test_the_same_bytes_and_headers(api: Any, job: Job) -> None:
    short, long = both_ways(api, f"/jobs/{job.pk}")
    assert short.status_code == 200
    assert same(short, long)
    assert set(PER_REQUEST) <= set(short.headers)
    job.move_to("RUNNING", reason="RUNNING", message="Zürich ")
    assert same(*both_ways(api, f"/jobs/{job.pk}"))


def test_the_view_is_passed_by_and_the_answer_counted(api: Any, job: Job, the_view_is_not_asked: None) -> None:
    labels = {"route": "jobs/<uuid:job_id>", "method": "GET", "status": "200"}
    before = REGISTRY.get_sample_value("sumok8_http_requests_total", labels) or 0
    answers = [api.get(f"/jobs/{job.pk}") for _ in range(2)]
    assert REGISTRY.get_sample_value("sumok8_http_requests_total", labels) == before + 2
    left = [int(answer["X-RateLimit-Remaining"]) for answer in answers]
    assert left[0] - left[1] in (0, 1)  # some came back meanwhile


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("?wait=1", {}),
        ("?wait=x", {}),
        ("", {"HTTP_ACCEPT": "text/html"}),
        ("", {"HTTP_ACCEPT": "application/json;q=0.9, */*;q=0.1"}),
        ("", {"HTTP_HOST": "elsewhere.example"}),
        ("", {"HTTP_AUTHORIZATION": "Bearer nonsense"}),
        ("", {"HTTP_AUTHORIZATION": "Basic abc"}),
        ("/", {}),
    ],
)
def test_all_else_is_as_it_was(api: Any, job: Job, path: str, headers: dict[str, str]) -> None:
    job.move_to("FAILED", reason="SUMO_FAILED", message="")
    assert same(*both_ways(api, f"/jobs/{job.pk}{path}", **headers))


def test_whoever_may_not_see_it_is_told_the_same(
    api: Any, other_api: Any, admin_api: Any, job: Job, settings: Any
) -> None:
    for caller, status in ((other_api, 404), (admin_api, 403)):
        short, long = both_ways(caller, f"/jobs/{job.pk}")
        assert (short.status_code, same(short, long)) == (status, True)
    row, key = ApiKey.objects.issue(tenant=job.tenant)
    ApiKey.objects.filter(pk=row.pk).update(revoked_at=job.submitted_at)
    short, long = both_ways(client_with(key), f"/jobs/{job.pk}")
    assert (short.status_code, same(short, long)) == (401, True)
    settings.RATE_LIMIT_PER_MINUTE, settings.RATE_LIMIT_BURST = 1, 2
    statuses = [other_api.get(f"/jobs/{job.pk}").status_code for _ in range(4)]
    assert statuses[-1] == 429  # and each was counted once
    assert statuses.count(404) >= 1
