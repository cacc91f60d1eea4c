"""The rate limit per key."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import path
from rest_framework.response import Response
from rest_framework.views import APIView

from tenants import throttling
from tenants.models import ApiKeyUsage
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key


class Counted(APIView):
    def get(self, request):
        return Response({})


urlpatterns = [path("counted", Counted.as_view())]
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves; it stands at 10 s into a minute."""

    class Clock:
        now = 6000 * 60.0 + 10

        def time(self):
            return self.now

    found = Clock()
    monkeypatch.setattr(throttling, "time", found)
    return found


def test_refused_beyond_the_limit_with_headers(api, settings, clock):
    settings.RATE_LIMIT_PER_MINUTE = 2
    first, second, third = (api.get("/counted") for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert [answer["X-RateLimit-Remaining"] for answer in (first, second, third)] == ["1", "0", "0"]
    assert third["X-RateLimit-Limit"] == "2"
    assert 50 <= int(third["Retry-After"]) <= 51
    assert int(third["X-RateLimit-Reset"]) == 51
    assert third.json() == {
        "error": {
            "code": "rate_limited",
            "message": "Too many requests with this key; try again after Retry-After seconds.",
            "details": [],
        }
    }


def test_the_next_minute_starts_anew(api, settings, clock):
    settings.RATE_LIMIT_PER_MINUTE = 1
    assert [api.get("/counted").status_code for _ in range(2)] == [200, 429]
    clock.now += 60
    assert api.get("/counted").status_code == 200


def test_each_key_has_its_own_count(api, tenant, settings, clock):
    settings.RATE_LIMIT_PER_MINUTE = 1
    assert api.get("/counted").status_code == 200
    assert client_with(issue_key(tenant)).get("/counted").status_code == 200
    assert api.get("/counted").status_code == 429


def test_one_statement_a_request(api, settings, clock, django_assert_num_queries):
    settings.RATE_LIMIT_PER_MINUTE = 100
    api.get("/counted")
    with django_assert_num_queries(2):  # the key, the count
        api.get("/counted")


def test_no_limit_costs_nothing_and_says_nothing(api, settings, django_assert_num_queries):
    settings.RATE_LIMIT_PER_MINUTE = 0
    api.get("/counted")
    with django_assert_num_queries(1):
        answer = api.get("/counted")
    assert "X-RateLimit-Limit" not in answer


@pytest.mark.django_db(transaction=True)
def test_no_request_slips_through_between_threads(settings, clock):
    settings.RATE_LIMIT_PER_MINUTE = 10
    key = issue_key(TenantFactory())

    def ask(_):
        try:
            return client_with(key).get("/counted").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(30)))
    assert (answers.count(200), answers.count(429)) == (10, 20)
    assert ApiKeyUsage.objects.get().count == 30
