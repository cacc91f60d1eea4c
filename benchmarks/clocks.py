"""A tenant's rate limit, asked of two webs as deployed whose clocks are a minute apart (libfaketime), against what it
should let through: only the database's clock counts."""

import http.client
import os
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.stack import product

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")  # Debian's package libfaketime
PER_MINUTE, BURST = 300, 5
SECONDS = 70.0  # over a minute's end of either clock


def measure(key: str) -> list[dict[str, Any]]:
    """One row; none of the clocks differs where libfaketime is not installed, which it says."""
    from tenants.models import Tenant

    Tenant.objects.update(requests_per_minute=PER_MINUTE, request_burst=BURST)
    with product() as right:
        apart = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+60s"}
        os.environ |= apart if FAKETIME.exists() else {}
        try:
            with product() as ahead:
                offset = _clock(ahead) - _clock(right)
                allowed, seconds = _ask([right, ahead], key)
        finally:
            for name in apart:
                os.environ.pop(name, None)
    expected = BURST + PER_MINUTE / 60 * seconds
    off = 100 * (allowed / expected - 1)
    return [{"clocks apart s": offset, "allowed": allowed, "by the limit": expected, "off %": off}]


def _clock(url: str) -> float:
    """As its answers are dated."""
    import email.utils

    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()


def _ask(urls: list[str], key: str) -> tuple[int, float]:
    """How many requests were let through in how long, of more than may be, by both at once."""
    statuses: list[int] = []
    began = time.monotonic()

    def client(url: str) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        while time.monotonic() < began + SECONDS:
            connection.request("GET", "/tenant", headers={"Authorization": f"Bearer {key}"})
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            time.sleep(0.02)
        connection.close()

    threads = [threading.Thread(target=client, args=(url,)) for url in urls for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses.count(200), time.monotonic() - began
