"""Large answers that nobody reads take no thread from the others, and are given up as their readers leave."""

import contextlib
import gzip
import http.client
import json
from urllib.parse import urlsplit

import pytest

from simulations.held import TAKEN_OVER
from tests.factories import JobFactory, TenantFactory, issue_key
from tests.simulations.edges.conftest import keep
from tests.simulations.served import web
from tests.sumok8 import stalled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_networks_not_read_hold_places_until_their_readers_leave() -> None:
    job = JobFactory(tenant=TenantFactory(tenant_id="city-a"))
    key = {"Authorization": f"Bearer {issue_key(job.tenant)}"}
    network = json.dumps({"ids": [], "shape": [0] * (TAKEN_OVER // 2)}).encode()  # 24 MB
    keep(job, "edges.bin.gz", b"")
    keep(job, "network.json.gz", gzip.compress(network, mtime=0))
    address = f"/jobs/{job.pk}/network.json"

    with web(WEB_THREADS="20", LOG_FOLLOWERS="36") as served:  # 18 of one tenant, more than there are connections

        def ask(path: str) -> tuple[int, bytes]:
            with contextlib.closing(http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=60)) as connection:
                connection.request("GET", path, headers=key)
                answer = connection.getresponse()
                return answer.status, answer.read()

        with stalled.clients(served.url, stalled.body("GET", address, 0, b"", **key), 20) as readers:
            answered = [http.client.HTTPResponse(wire) for wire in readers]
            for wire, answer in zip(readers, answered, strict=True):
                wire.settimeout(60)
                answer.begin()
            assert sorted(answer.status for answer in answered) == [200] * 18 + [503] * 2
            assert ask(f"/jobs/{job.pk}")[0] == 200
            assert ask(address)[0] == 503
            for answer in answered:
                answer.close()
        until_free = (ask(address) for _ in range(100))
        assert next(content for status, content in until_free if status == 200) == network
