"""A webhook is deleted while other things are asked of it."""

from typing import Any

import pytest

from simulations.webhooks.models import Endpoint
from tests.conftest import client_with
from tests.factories import TenantFactory, issue_key

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_comes_late_finds_it_no_more(at_once: Any) -> None:
    tenant = TenantFactory()
    key = issue_key(tenant)
    address = f"/webhooks/{Endpoint.objects.create(tenant=tenant, url='https://example.com/').pk}"

    def act(number: int) -> int:
        client = client_with(key)
        match number % 4:
            case 0:
                return client.delete(address).status_code
            case 1:
                return client.post(f"{address}/rotate").status_code
            case 2:
                return client.post(f"{address}/test").status_code
        return client.patch(address, {"active": True}, content_type="application/json").status_code

    assert set(at_once(act)) <= {200, 202, 204, 404}
    assert not Endpoint.objects.exists()
