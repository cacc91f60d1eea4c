"""Who is calling: one query, and the same 401 whatever is wrong with the key."""

from datetime import timedelta

import pytest
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from tenants.authentication import StaffSessionAuthentication
from tenants.models import ApiKey, Tenant
from tenants.permissions import IsAdmin
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key


class ForTenants(APIView):
    def get(self, request: Request) -> Response:
        return Response({"name": request.user.name, "scope": request.user.scope})


class ForAdmins(ForTenants):
    authentication_classes = [*APIView.authentication_classes, StaffSessionAuthentication]
    permission_classes = [IsAdmin]

    def post(self, request: Request) -> Response:
        return Response({"name": request.user.name})


urlpatterns = [path("for-tenants", ForTenants.as_view()), path("for-admins", ForAdmins.as_view())]
handler404 = "sumok8.errors.not_found"
pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def test_key_names_its_tenant(api):
    assert api.get("/for-tenants").json() == {"name": "city-a", "scope": "tenant"}


def test_one_query_when_used_within_five_minutes(api, django_assert_num_queries):
    api.get("/for-tenants")
    with django_assert_num_queries(1):
        assert api.get("/for-tenants").status_code == 200


def test_last_used_is_written_at_most_every_five_minutes(api):
    api.get("/for-tenants")
    first = ApiKey.objects.get().last_used_at
    api.get("/for-tenants")
    assert ApiKey.objects.get().last_used_at == first
    old = timezone.now() - timedelta(minutes=5, seconds=1)
    ApiKey.objects.update(last_used_at=old)
    api.get("/for-tenants")
    assert ApiKey.objects.get().last_used_at > old


def _unknown() -> str:
    return "Bearer sk8_" + "x" * 43


def _expired() -> str:
    past = timezone.now() - timedelta(seconds=1)
    return "Bearer " + ApiKey.objects.issue(tenant=TenantFactory(), expires_at=past)[1]


def _revoked() -> str:
    row, key = ApiKey.objects.issue(tenant=TenantFactory())
    row.revoke()
    return "Bearer " + key


def _inactive_tenant() -> str:
    return "Bearer " + issue_key(TenantFactory(is_active=False))


def _other_scheme() -> str:
    return "Basic " + issue_key(TenantFactory())


def _key_alone() -> str:
    return issue_key(TenantFactory())


REFUSED = {
    "missing": lambda: None,
    "empty": lambda: "",
    "malformed": lambda: "Bearer city-a",
    "with a NUL": lambda: "Bearer sk8_" + "\0" * 43,
    "not ASCII": lambda: "Bearer sk8_" + "é" * 43,
    "too long": lambda: "Bearer sk8_" + "x" * 5000,
    "unknown": _unknown,
    "expired": _expired,
    "revoked": _revoked,
    "inactive tenant": _inactive_tenant,
    "other scheme": _other_scheme,
    "no scheme": _key_alone,
}


@pytest.mark.parametrize("header", REFUSED.values(), ids=REFUSED.keys())
def test_every_refusal_looks_the_same(header):
    value = header()
    answer = APIClient().get("/for-tenants", **({} if value is None else {"HTTP_AUTHORIZATION": value}))
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {
            "code": "unauthorized",
            "message": "Send a valid API key: Authorization: Bearer <key>.",
            "details": [],
        }
    }
    assert answer["WWW-Authenticate"] == 'Bearer realm="sumok8"'


@pytest.mark.parametrize("header", [_unknown, _expired, _revoked, _inactive_tenant])
def test_a_refusal_costs_one_query_too(header, django_assert_num_queries):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header())
    with django_assert_num_queries(1):
        client.get("/for-tenants")


def test_scheme_is_read_in_any_case(tenant):
    assert APIClient().get("/for-tenants", HTTP_AUTHORIZATION=f"bearer {issue_key(tenant)}").status_code == 200


def test_only_the_digest_is_stored(tenant):
    key = issue_key(tenant)
    stored = ApiKey.objects.values().get()
    assert key[12:] not in str(stored)
    assert stored["prefix"] == key[:12]


def test_each_scope_has_its_addresses(api, admin_api):
    assert api.get("/for-admins").status_code == 403
    assert api.get("/for-admins").json()["error"]["code"] == "forbidden"
    assert admin_api.get("/for-tenants").status_code == 403
    assert admin_api.get("/for-admins").json() == {"name": "admin", "scope": "admin"}


def test_staff_session_acts_as_admin(django_user_model):
    client = APIClient()
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    assert client.get("/for-admins").json() == {"name": "admin", "scope": "admin"}


def test_a_session_without_staff_has_no_say(django_user_model):
    client = APIClient()
    client.force_login(django_user_model.objects.create_user("visitor"))
    assert client.get("/for-admins").status_code == 401


def test_staff_session_needs_the_csrf_token_to_write(django_user_model):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))
    assert client.post("/for-admins").status_code == 403


def test_an_inactive_tenants_second_key_is_refused_as_well(tenant):
    first, second = client_with(issue_key(tenant)), client_with(issue_key(tenant))
    assert first.get("/for-tenants").status_code == second.get("/for-tenants").status_code == 200
    Tenant.objects.update(is_active=False)
    assert first.get("/for-tenants").status_code == second.get("/for-tenants").status_code == 401
