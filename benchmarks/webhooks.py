"""Webhooks: how fast an outbox of 10,000 notices is drained by the sender as deployed, with a receiver that never
answers beside; and what one receiver that answers at once can be told of."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.rows import fresh_tenant
from benchmarks.stack import ROOT
from tests.simulations.webhooks.conftest import Receiver, receiving

NOTICES = 10_000
ENDPOINTS = 50  # of as many tenants: of one, two calls are under way at a time
TO_ONE = 2_000  # notices where there is one endpoint
SLOW = 50  # notices of the tenant whose receiver never answers


def measure() -> list[dict[str, Any]]:
    """A row per number of senders and of endpoints."""
    return [_drained(1, ENDPOINTS, NOTICES), _drained(2, ENDPOINTS, NOTICES), _drained(1, 1, TO_ONE)]


def _drained(senders: int, endpoints: int, notices: int) -> dict[str, Any]:
    from simulations.models import Notice
    from simulations.webhooks.models import Delivery, Endpoint
    from tenants.models import Tenant

    fresh_tenant()
    with _quick() as (url, got), receiving() as silent, ExitStack() as ending:
        silent.holds.clear()
        names = [f"bench-{number}" for number in range(endpoints)]
        Tenant.objects.bulk_create(Tenant(tenant_id=name, namespace=name) for name in (*names, "slow"))
        Endpoint.objects.bulk_create(Endpoint(tenant_id=name, url=url) for name in names)
        Endpoint.objects.create(tenant_id="slow", url=silent.url)
        told = [names[number % endpoints] for number in range(notices)] + ["slow"] * SLOW
        Notice.objects.bulk_create(
            (Notice(tenant_id=name, kind=Notice.Kind.JOB_SUCCEEDED, data={"n": n}) for n, name in enumerate(told)),
            batch_size=1000,
        )
        environment = os.environ | {"WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}
        processes = []
        for _ in range(senders):
            processes.append(subprocess.Popen([sys.executable, "manage.py", "notify"], cwd=ROOT, env=environment))
            ending.callback(_end, processes[-1], silent)
        _await(lambda: bool(got))
        began, cpu = time.monotonic(), _cpu_s(processes)
        delivered = Delivery.objects.filter(state="DELIVERED").exclude(endpoint__tenant="slow")
        _await(lambda: len(got) >= notices and delivered.count() == notices)
        seconds, cpu = time.monotonic() - began, _cpu_s(processes) - cpu
        assert len(set(got)) == notices
    return {
        **{"senders": senders, "endpoints": endpoints, "notices": notices, "seconds": seconds},
        **{"a second": notices / seconds, "CPU ms each": 1000 * cpu / notices, "twice": len(got) - notices},
    }


@contextmanager
def _quick() -> Iterator[tuple[str, list[str]]]:
    """A receiver that answers at once, and the ids of what it got."""
    got: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
        got.append(head.partition("webhook-id: ")[2].partition("\r")[0])
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0, backlog=512))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", got
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _await(is_so: Any) -> None:
    while not is_so():
        time.sleep(0.05)


def _cpu_s(processes: list[subprocess.Popen[bytes]]) -> float:
    """That they have used so far."""
    ticks = 0
    for process in processes:
        with open(f"/proc/{process.pid}/stat") as file:  # noqa: PTH123 - no file of ours
            ticks += sum(int(each) for each in file.read().rpartition(")")[2].split()[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def _end(process: subprocess.Popen[bytes], silent: Receiver) -> None:
    silent.holds.set()
    process.terminate()
    process.wait(60)
