"""Crash points: every call to the cluster and every write to the database, numbered; at the n-th the process dies, or
the cluster does, or PostgreSQL.

The seam is out here: the gateway's methods, Django's `execute_wrapper` and its commits; nothing in the product. Dying
after a step is dying before the next, so dying before each of them is enough.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from tests.chaos.stage import kill

CALLS = ("ensure_namespace", "start_run", "delete_run", "release_run", "list_runs", "read_log", "run_exists")
LEASE = timedelta(seconds=0.5)  # of a dead sender's calls; in production two minutes
WRITES = ("INSERT", "UPDATE", "DELETE")


class Crash:
    """Counts steps into the file `steps`; kills `victim` just before step `at` (0: never)."""

    def __init__(self, at: int, steps: Path, victim: str = "reconciler", pid: int = 0) -> None:
        self.at, self.steps, self.victim, self.pid, self.count = at, steps, victim, pid or os.getpid(), 0
        self._lock = threading.Lock()  # some calls are made by several threads

    def step(self, what: str) -> None:
        with self._lock:
            self.count += 1
            with self.steps.open("a") as file:
                file.write(f"{what}\n")
            if self.count == self.at:
                kill(self.pid, self.victim)

    def execute(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        verb, *words = [word.strip('"') for word in str(sql).split(maxsplit=3)]
        if verb.upper() in WRITES:
            table = next(word for word in words if word.upper() not in ("INTO", "FROM"))
            self.step(f"{verb.upper()} {table}")  # in one line: the lines are counted
        return execute(sql, params, many, context)

    def numbered(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step(name)
            return call(*args, **kwargs)

        return counted


def one_pass(at: int, steps: str, victim: str = "reconciler", pid: int = 0) -> None:
    """One `reconcile_once` with a death at step `at`."""
    from clusterops.gateway import gateway_of
    from clusterops.reconciler.one_pass import reconcile_once
    from tenants.clusters import first_cluster

    crash = Crash(at, Path(steps), victim, pid)
    gateway = gateway_of(first_cluster())
    for name in CALLS:
        setattr(gateway, name, crash.numbered(name, getattr(gateway, name)))
    with counted_database(crash):
        reconcile_once(gateway)


def one_submission(at: int, steps: str, key: str, scenario_id: str, idempotency_key: str) -> None:
    """One POST /jobs, dead at step `at`; the last step is the answer."""
    from django.test import Client

    crash = Crash(at, Path(steps))
    client = Client(headers={"Host": "localhost", "Authorization": f"Bearer {key}", "Idempotency-Key": idempotency_key})
    with counted_database(crash):
        answer = client.post("/jobs", {"scenario_id": scenario_id}, content_type="application/json")
    crash.step(f"answer {answer.status_code}")


def sending(at: int, steps: str, victim: str = "sender", pid: int = 0) -> None:
    """`manage.py notify` until all is delivered, with a death at step `at`; each call of a receiver is one."""
    from django.conf import settings

    from simulations.models import Notice
    from simulations.webhooks import outbox
    from simulations.webhooks.models import Delivery
    from simulations.webhooks.sender import Sender

    crash = Crash(at, Path(steps), victim, pid)
    settings.WEBHOOK_ALLOWED_NETWORKS = [ip_network("127.0.0.0/8")]
    outbox.LEASE = LEASE
    outbox.post = crash.numbered("POST", outbox.post)
    sender = Sender(threads=2)
    with counted_database(crash):
        while (
            Notice.objects.filter(is_addressed=False).exists()
            or Delivery.objects.exclude(state=Delivery.State.DELIVERED).exists()
        ):
            if not sender.step():
                time.sleep(LEASE.total_seconds() / 10)
        sender.finish()


@contextmanager
def counted_database(crash: Crash) -> Iterator[None]:
    from django.db import connection

    connection.ensure_connection()
    connection.commit = crash.numbered("COMMIT", connection.commit)  # type: ignore[method-assign]
    with connection.execute_wrapper(crash.execute):
        yield
