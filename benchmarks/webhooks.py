"""Webhooks: how fast an outbox of 10,000 notices is drained, with a receiver that never answers beside, by one and by
two copies of the sender as deployed."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.rows import fresh_tenant
from benchmarks.stack import ROOT
from tests.simulations.webhooks.conftest import Receiver, receiving

NOTICES = 10_000
TENANTS = 20  # with an endpoint each: of one, two calls are under way at a time
SLOW = 50  # notices of the tenant whose receiver never answers


def measure() -> list[dict[str, Any]]:
    """A row per number of senders."""
    return [_drained(senders) for senders in (1, 2)]


def _drained(senders: int) -> dict[str, Any]:
    from simulations.models import Notice
    from simulations.webhooks.models import Delivery, Endpoint
    from tenants.models import Tenant

    fresh_tenant()
    with receiving() as receiver, receiving() as silent, ExitStack() as ending:
        silent.holds.clear()
        names = [f"bench-{number}" for number in range(TENANTS)]
        Tenant.objects.bulk_create(Tenant(tenant_id=name, namespace=name) for name in (*names, "slow"))
        Endpoint.objects.bulk_create(Endpoint(tenant_id=name, url=receiver.url) for name in names)
        Endpoint.objects.create(tenant_id="slow", url=silent.url)
        told = [names[number % TENANTS] for number in range(NOTICES)] + ["slow"] * SLOW
        Notice.objects.bulk_create(
            (Notice(tenant_id=name, kind=Notice.Kind.JOB_SUCCEEDED, data={"n": n}) for n, name in enumerate(told)),
            batch_size=1000,
        )
        environment = os.environ | {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
        began = time.monotonic()
        for _ in range(senders):
            process = subprocess.Popen([sys.executable, "manage.py", "notify"], cwd=ROOT, env=environment)
            ending.callback(_end, process, silent)
        while len(receiver.got) < NOTICES:
            time.sleep(0.05)
        seconds = time.monotonic() - began
        ids = {headers["webhook-id"] for headers, _ in receiver.got}
        assert len(ids) == NOTICES
        while Delivery.objects.filter(state="DELIVERED").exclude(endpoint__tenant="slow").count() < NOTICES:
            time.sleep(0.05)
        twice = len(receiver.got) - NOTICES
    return {"senders": senders, "notices": NOTICES, "seconds": seconds, "a second": NOTICES / seconds, "twice": twice}


def _end(process: subprocess.Popen[bytes], silent: Receiver) -> None:
    silent.holds.set()
    process.terminate()
    process.wait(60)
