"""What a key may do for its tenant."""

from datetime import timedelta

import pytest

from tenants.members import Role
from tenants.models import ApiKey, Tenant
from tests.conftest import client_with

ASKED = [("get", "/jobs"), ("post", "/jobs"), ("post", "/-/may-upload"), ("get", "/webhooks"), ("post", "/webhooks")]
ALLOWED = {"viewer": "ynnyn", "engineer": "yyyyn", "owner": "yyyyy"}


@pytest.mark.parametrize("role", Role)
def test_a_key_may_what_its_role_may(tenant: Tenant, role: Role) -> None:
    client = client_with(ApiKey.objects.issue(tenant=tenant, role=role)[1])
    answers = [getattr(client, method)(address, {}, format="json") for method, address in ASKED]
    assert "".join("n" if answer.status_code == 403 else "y" for answer in answers) == ALLOWED[role]
    told = [answer.json()["error"]["message"] for answer in answers if answer.status_code == 403]
    assert all(sentence.startswith(f"This key's role is {role}; here it takes ") for sentence in told)


def test_a_key_keeps_its_role_when_it_is_rotated(tenant: Tenant) -> None:

    key, _ = ApiKey.objects.issue(tenant=tenant, role=Role.VIEWER)
    assert key.rotate(overlap=timedelta())[0].role == Role.VIEWER
