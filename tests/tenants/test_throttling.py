"""Rate limits: of a tenant, of an admin's key, of an address whose keys are not valid.

A test's transaction stands still at one moment of the database's clock; time passes by moving a bucket's row back.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tenants import throttling
from tenants.models import RateLimit
from tenants.permissions import IsAdmin
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key


class Counted(APIView):
    def get(self, request):
        return Response({})


class ForAdmins(Counted):
    permission_classes = [IsAdmin]


urlpatterns = [path("counted", Counted.as_view()), path("for-admins", ForAdmins.as_view())]
pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]
WRONG = "sk8_" + "x" * 43


def pass_time(seconds: float) -> None:
    RateLimit.objects.update(arrival=F("arrival") - timedelta(seconds=seconds))


@pytest.fixture
def two_at_once(settings):
    """One request every 30 s in the long run."""
    settings.RATE_LIMIT_PER_MINUTE, settings.RATE_LIMIT_BURST = 2, 2


def test_refused_beyond_the_burst_with_headers(api, two_at_once):
    first, second, third = (api.get("/counted") for _ in range(3))
    assert [answer.status_code for answer in (first, second, third)] == [200, 200, 429]
    assert [answer["X-RateLimit-Limit"] for answer in (first, second, third)] == ["2", "2", "2"]
    assert [answer["X-RateLimit-Remaining"] for answer in (first, second, third)] == ["1", "0", "0"]
    assert [answer["X-RateLimit-Reset"] for answer in (first, second, third)] == ["30", "60", "60"]
    assert third["Retry-After"] == "30"
    assert third.json() == {
        "error": {
            "code": "rate_limited",
            "message": "Too many requests with keys of this tenant; try again after Retry-After seconds.",
            "details": [],
        }
    }


def test_a_refusal_writes_nothing(api, two_at_once):
    for _ in range(2):
        api.get("/counted")
    with connection.cursor() as cursor:
        cursor.execute("SELECT ctid, xmin, xmax, arrival FROM rate_limits")
        before = cursor.fetchall()
        assert api.get("/counted").status_code == 429
        cursor.execute("SELECT ctid, xmin, xmax, arrival FROM rate_limits")
        assert cursor.fetchall() == before


def test_what_was_used_comes_back_step_by_step(api, two_at_once):
    assert [api.get("/counted").status_code for _ in range(3)] == [200, 200, 429]
    pass_time(29)
    assert api.get("/counted").status_code == 429
    pass_time(1)
    assert [api.get("/counted").status_code for _ in range(2)] == [200, 429]
    pass_time(3600)
    assert [api.get("/counted").status_code for _ in range(3)] == [200, 200, 429]


def test_all_keys_of_a_tenant_count_together_and_no_other_tenants(api, tenant, other_api, two_at_once):
    second_key = client_with(issue_key(tenant))
    assert [each.get("/counted").status_code for each in (api, second_key, api, second_key)] == [200, 200, 429, 429]
    assert other_api.get("/counted").status_code == 200


def test_each_admin_key_counts_for_itself(admin_api, api, two_at_once):
    assert [admin_api.get("/for-admins").status_code for _ in range(3)] == [200, 200, 429]
    assert client_with(issue_key(None)).get("/for-admins").status_code == 200
    assert api.get("/counted").status_code == 200


def test_one_statement_a_request_counted_or_not(api, settings, django_assert_num_queries):
    api.get("/counted")
    with django_assert_num_queries(1):
        assert "X-RateLimit-Limit" in api.get("/counted")
    settings.RATE_LIMIT_PER_MINUTE = 0
    with django_assert_num_queries(1):
        assert "X-RateLimit-Limit" not in api.get("/counted")


class TestFailedKeys:
    @pytest.fixture(autouse=True)
    def two_a_minute(self, settings):
        settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE = 2

    def test_refused_beyond_the_limit(self):
        stranger = client_with(WRONG)
        assert [stranger.get("/counted").status_code for _ in range(3)] == [401, 401, 429]
        assert stranger.get("/counted")["Retry-After"] == "30"
        assert RateLimit.objects.count() == 1

    def test_a_right_key_from_the_same_address_is_taken(self, api):
        stranger = client_with(WRONG)
        while stranger.get("/counted").status_code == 401:
            pass
        assert api.get("/counted").status_code == 200

    def test_another_address_has_its_own_count(self):
        stranger = client_with(WRONG)
        while stranger.get("/counted", REMOTE_ADDR="192.0.2.1").status_code == 401:
            pass
        assert stranger.get("/counted", REMOTE_ADDR="192.0.2.2").status_code == 401

    def test_what_has_not_the_form_of_a_key_costs_no_statement(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert client_with("guess").get("/counted").status_code == 401
            assert APIClient().get("/counted").status_code == 401

    def test_off_by_zero(self, settings):
        settings.RATE_LIMIT_FAILED_KEYS_PER_MINUTE = 0
        assert {client_with(WRONG).get("/counted").status_code for _ in range(5)} == {401}
        assert not RateLimit.objects.exists()


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "no address", True),
    ],
)
def test_buckets_of_addresses(one, other, same):
    found = throttling.bucket_of_address(one), throttling.bucket_of_address(other)
    assert (found[0] == found[1]) is same
    assert all(int(bucket.removeprefix("address:")) < throttling.ADDRESS_BUCKETS for bucket in found)


def test_rows_of_the_past_are_pruned():
    limit = throttling.Limit(per_minute=60, burst=60)
    for n in range(3):
        throttling.count(f"job:{n}", limit)
    pass_time(60)
    throttling.count("job:0", limit)
    assert throttling.prune() == 2
    assert set(RateLimit.objects.values_list("pk", flat=True)) == {"job:0"}


@pytest.mark.django_db(transaction=True)
def test_no_request_slips_through_between_threads(settings):
    settings.RATE_LIMIT_PER_MINUTE, settings.RATE_LIMIT_BURST = 1, 10
    key = issue_key(TenantFactory())

    def ask(_):
        try:
            return client_with(key).get("/counted").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(30)))
    assert (answers.count(200), answers.count(429)) == (10, 20)
