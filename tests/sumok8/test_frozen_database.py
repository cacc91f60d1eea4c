"""A PostgreSQL that is stopped, not gone: sockets stay open and no statement ends by itself."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager

import pytest
from pytest_django import DjangoDbBlocker

from clusterops.reconciler.doorbell import Doorbell
from clusterops.reconciler.leader_lock import Lock
from simulations.models import Job
from sumok8.embedded_postgres import EmbeddedPostgres
from tenants import database
from tenants.database import ServerSilent, answering_within, direct_connection, slow_statements_allowed
from tests.factories import JobFactory, issue_key
from tests.frozen import stopped_processes, with_children
from tests.own_postgres import own_postgres
from tests.simulations.served import web

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("postgres")]
REQUESTS = 24  # more than the pool has connections


@pytest.fixture(scope="module")
def postgres(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("postgres")
    for each in (folder, folder.parent, folder.parent.parent):  # whom PostgreSQL runs as may enter
        each.chmod(0o755)
    with django_db_blocker.unblock(), own_postgres(folder) as server:
        yield server


def frozen(server: EmbeddedPostgres) -> AbstractContextManager[None]:
    pid = server.pid()
    assert pid
    return stopped_processes(with_children(pid))


def get(url: str, key: str = "", within_s: float = 60.0) -> tuple[int, str]:
    """(status, error's code)"""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    try:
        with urllib.request.urlopen(request, timeout=within_s) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)["error"]["code"]


@pytest.mark.long
def test_the_web_says_so_and_goes_on_afterwards(postgres: EmbeddedPostgres, tenant) -> None:
    key = issue_key(tenant)
    with web(DATABASE_TIMEOUT_S="1") as served, ThreadPoolExecutor(REQUESTS) as threads:
        url = served.url

        def ask_at_once() -> set[tuple[int, str]]:
            return set(threads.map(lambda _: get(f"{url}/jobs", key), range(REQUESTS)))

        assert ask_at_once() == {(200, "")}
        with frozen(postgres):
            assert ask_at_once() == {(503, "database_unreachable")}
            assert get(f"{url}/readyz", within_s=5) == (503, "database_unreachable")
            assert get(f"{url}/healthz", within_s=5) == (200, "")
        assert get(f"{url}/readyz") == (200, "")
        assert ask_at_once() == {(200, "")}


def test_lock_and_doorbell_are_had_again(postgres: EmbeddedPostgres, settings) -> None:
    settings.DATABASE_TIMEOUT_S = 0.3
    stop, lock = threading.Event(), Lock()
    doorbell = Doorbell(stop)
    assert lock.wait(stop)
    doorbell.attend(None)
    doorbell.wait(30)  # it rings once it listens
    with frozen(postgres):
        assert not lock.held()
    assert lock.wait(stop)
    JobFactory()
    doorbell.wait(30)
    stop.set()
    lock.release()
    assert Job.objects.count() == 1


def test_a_command_waits_for_a_slow_statement_and_not_for_a_silent_server(
    postgres: EmbeddedPostgres, settings, monkeypatch
) -> None:
    settings.DATABASE_TIMEOUT_S = 0.2
    monkeypatch.setattr(database, "PROBE_S", 2.0)
    with direct_connection() as own:
        with slow_statements_allowed():
            assert own.execute("SELECT 1 FROM pg_sleep(0.7)").fetchone() == (1,)
            with frozen(postgres), pytest.raises(ServerSilent):
                own.execute("SELECT 1")
        assert own.closed


def test_what_still_arrives_is_no_silence(settings) -> None:
    settings.DATABASE_TIMEOUT_S = 0.3
    with direct_connection() as own:
        own.execute("SET client_min_messages TO notice")
        own.execute("DO $$ BEGIN FOR n IN 1..8 LOOP PERFORM pg_sleep(0.1); RAISE NOTICE '%', n; END LOOP; END $$")
        with answering_within(0.2), pytest.raises(ServerSilent, match="said nothing"):
            own.execute("SELECT pg_sleep(0.6)")
        assert own.closed
