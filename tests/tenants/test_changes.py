"""Who changed what, by which way: every way is caught, and no secret is kept."""

import json
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from simulations.webhooks.models import Endpoint
from tenants.acting import acting
from tenants.members import Member
from tenants.models import ApiKey, Change, Plan, PlanPrice, Tenant
from tenants.services import assign_plan
from tests.factories import TenantFactory

pytestmark = pytest.mark.django_db


def newest(kind: str) -> Change:
    found = Change.objects.filter(kind=kind).first()
    assert found is not None
    return found


def test_a_limit_by_the_admin(superuser: Client, tenant: Tenant) -> None:
    page = superuser.get(f"/admin/tenants/tenant/{tenant.pk}/change/")
    form = page.context["adminform"].form
    sent = {name: form.initial.get(name) for name in form.fields if form.initial.get(name) is not None}
    sent |= {name: value for name, value in form.initial.items() if name.startswith("seen")}
    hidden = {f.html_name: f.value() for f in form.hidden_fields() if f.value() is not None}
    answer = superuser.post(f"/admin/tenants/tenant/{tenant.pk}/change/", sent | hidden | {"max_cpu": 77})
    assert answer.status_code == 302, answer.context["errors"] if answer.context else answer
    row = newest("tenant")
    assert (row.tenant_name, row.action, row.subject) == ("city-a", "changed", "city-a")
    assert row.fields["max_cpu"] == [10, 77]
    assert (row.by, row.via) == ("root", "admin")


def test_a_key_and_a_webhook_by_the_api(api: APIClient, tenant: Tenant) -> None:
    body = {"url": "https://example.org/hook/s3cret?token=s3cret"}
    assert api.post("/webhooks", body, format="json").status_code == 201
    row = newest("webhook")
    assert row.subject == "example.org"
    assert row.by.startswith("key sk8_")
    assert row.via == "API"
    ApiKey.objects.get().revoke()
    key = newest("key")
    assert key.action == "changed"
    assert list(key.fields) == ["revoked_at"]
    kept = json.dumps(list(Change.objects.values("fields", "subject")))
    assert "s3cret" not in kept
    assert ApiKey.objects.get().digest not in kept


def test_a_bulk_update_a_cascade_and_a_hand(tenant: Tenant) -> None:
    with acting(lambda: "otto", lambda: "manage.py set_limits"):
        Tenant.objects.update(max_cpu=3)
    row = newest("tenant")
    assert (row.fields, row.by, row.via) == ({"max_cpu": [10, 3]}, "otto", "manage.py set_limits")
    member = Member.objects.create(tenant=tenant, user=User.objects.create_user("mia"), role="viewer")
    Member.objects.filter(pk=member.pk).update(role="owner")
    assert (newest("member").subject, newest("member").fields) == ("mia", {"role": ["viewer", "owner"]})
    tenant.delete()
    assert newest("member").action == newest("tenant").action == "deleted"


def test_sql_past_our_code_is_the_databases_user(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tenants SET is_active = false")
        cursor.execute("SELECT session_user")
        (user,) = cursor.fetchone()
    assert (newest("tenant").by, newest("tenant").via) == (user, "SQL")


def test_what_the_service_writes_for_itself_is_no_change(tenant: Tenant) -> None:
    key, _ = ApiKey.objects.issue(tenant=tenant)
    before = Change.objects.count()
    key.touch()
    Tenant.objects.update(refused_because="budget")
    Tenant.objects.update(max_cpu=tenant.max_cpu)
    assert Change.objects.count() == before


def test_plans_and_prices(tenant: Tenant) -> None:
    plan = Plan.objects.create(name="gold", max_cpu=50)
    PlanPrice.objects.create(plan=plan, item="cpu_hour", price=Decimal("0.05"))
    assert newest("price").fields["price"][1] == 0.05
    assert newest("price").fields["plan"] == [None, "gold"]
    assign_plan(tenant=tenant, plan=plan, by="otto")
    assert newest("plan of tenant").subject == "gold"
    changed = newest("tenant").fields
    assert changed["plan"] == [None, "gold"]
    assert changed["max_cpu"] == [10, 50]


def test_a_change_outside_a_transaction_is_told_in_one(transactional_db: None) -> None:
    with acting(lambda: "otto", lambda: "pages"):
        key, _ = ApiKey.objects.issue(tenant=TenantFactory(tenant_id="city-t"))
    assert ApiKey.objects.get(pk=key.pk).prefix == newest("key").subject
    assert newest("tenant").by == "otto"
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('sumok8.by', true)")
        assert cursor.fetchone()[0] in (None, "")


@pytest.mark.parametrize("statement", ["UPDATE changes SET by = 'x'", "DELETE FROM changes"])
def test_rows_are_kept(tenant: Tenant, statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_the_endpoints_own_bookkeeping_is_no_change(tenant: Tenant, django_assert_num_queries: Any) -> None:
    endpoint = Endpoint.objects.create(tenant=tenant, url="https://example.org/x")
    before = Change.objects.count()
    endpoint.rotate()
    assert list(newest("webhook").fields) == ["secret_version"]
    Endpoint.objects.update(failing_since=endpoint.created_at)
    assert Change.objects.count() == before + 1
