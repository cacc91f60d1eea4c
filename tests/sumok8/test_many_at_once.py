"""However much one caller has under way, answers that wait to be read among it, the others have room."""

import contextlib
import http.client
import json
import select
from urllib.parse import urlsplit

import pytest

from sumok8.proxy import REQUESTS_OF_ONE, UPLOADS_OF_ONE
from tests.factories import TenantFactory, issue_key
from tests.simulations.served import web
from tests.sumok8 import stalled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.mark.parametrize(
    ("request_", "number", "method", "address", "code"),
    [
        (stalled.body("POST", "/jobs", 1000, b"{", Authorization="KEY"), REQUESTS_OF_ONE, "GET", "/jobs", "requests"),
        (stalled.form("/scenarios", 100_000, Authorization="KEY"), UPLOADS_OF_ONE, "POST", "/scenarios", "uploads"),
    ],
)
def test_what_a_caller_has_under_way_is_bounded(
    request_: bytes, number: int, method: str, address: str, code: str
) -> None:
    key, other = (issue_key(TenantFactory(tenant_id=name)) for name in ("greedy", "city-a"))
    half = request_.replace(b"KEY", f"Bearer {key}".encode())
    with web() as served, stalled.clients(served.url, half, number + 1) as wires:
        assert select.select(wires, [], [], 60)[0]  # one has been refused: the others are all under way

        def ask(authorization: str) -> tuple[int, str]:
            with contextlib.closing(http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)) as wire:
                body = b"{}" if method == "POST" else None
                wire.request(method, address, body, headers={"Authorization": authorization})
                answer = wire.getresponse()
                return answer.status, json.loads(answer.read()).get("error", {}).get("code", "")

        refused = (429, f"{code}.too_many")
        assert ask(f"Bearer {key}") == refused
        assert ask(f"bearer   {key}") == refused
        assert ask(f"Bearer {other}") != refused
