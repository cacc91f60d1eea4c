"""Behind pgbouncer in transaction mode: each transaction has another server session, each caller its own values."""

import json
import os
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, connections

from clusterops.install.cluster_check import Verdict, check_database
from clusterops.reconciler.leader_lock import Lock
from simulations.models import Job
from tenants.database import DIRECT, Connection, NotDirect, configuration_problem
from tests.factories import ScenarioFactory, TenantFactory, issue_key
from tests.pgbouncer import pgbouncer
from tests.simulations.served import web

pytestmark = pytest.mark.django_db(transaction=True)
TENANTS, JOBS_EACH = 6, 15
INSPECTION = {"config": "run.sumocfg", "configs": {"run.sumocfg": {"begin": 0, "end": 60, "problems": []}}}


@pytest.fixture
def pooler(tmp_path: Path):
    with pgbouncer(tmp_path, connection.settings_dict["HOST"]) as port:
        yield {"HOST": "127.0.0.1", "PORT": str(port)}


@pytest.fixture
def straight():
    """The settings of the way past the pooler."""
    return dict(connection.settings_dict)


@pytest.fixture
def only_the_pooler(pooler, straight, monkeypatch):
    for name, value in pooler.items():
        monkeypatch.setitem(connection.settings_dict, name, value)


def test_every_caller_keeps_its_own_values(pooler) -> None:
    keys = {}
    for number in range(TENANTS):
        tenant = TenantFactory(tenant_id=f"city-{number}")
        ScenarioFactory(tenant=tenant, scenario_id=f"town-{number}", inspection=INSPECTION)
        keys[tenant.pk] = issue_key(tenant)

    def submit(number: int) -> tuple[str, str]:
        tenant = number % TENANTS
        request = urllib.request.Request(
            f"{served.url}/jobs",
            json.dumps({"scenario_id": f"town-{tenant}"}).encode(),
            {"Authorization": f"Bearer {keys[f'city-{tenant}']}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            job = json.load(answer)
        assert (job["tenant_id"], job["scenario_id"]) == (f"city-{tenant}", f"town-{tenant}")
        return job["job_id"], job["tenant_id"]

    name, direct = connection.settings_dict["NAME"], os.environ["DATABASE_URL"].rpartition("/")[0]
    through = f"postgresql://postgres@{pooler['HOST']}:{pooler['PORT']}/{name}"
    with (
        web(DATABASE_URL=through, DATABASE_DIRECT_URL=f"{direct}/{name}") as served,
        ThreadPoolExecutor(TENANTS) as threads,
    ):
        answered = set(threads.map(submit, range(TENANTS * JOBS_EACH)))
    stored = {(str(job.pk), job.tenant_id) for job in Job.objects.all()}
    assert answered == stored
    assert len(stored) == TENANTS * JOBS_EACH


def test_what_needs_a_session_of_its_own_says_so(only_the_pooler) -> None:
    with pytest.raises(NotDirect, match="set DATABASE_DIRECT_URL"):
        Lock().wait(threading.Event())
    finding = check_database()
    assert finding.verdict is Verdict.MISSING
    assert "set DATABASE_DIRECT_URL" in finding.text
    with pytest.raises(SystemCheckError, match="set DATABASE_DIRECT_URL"):
        call_command("check", deploy=True, stderr=StringIO())


def test_a_direct_url_makes_it_right(only_the_pooler, pooler, straight, monkeypatch) -> None:
    def problem_with(direct: dict) -> str:
        monkeypatch.setitem(connections.databases, DIRECT, direct)
        try:
            return configuration_problem()
        finally:
            del connections[DIRECT]

    assert problem_with(straight) == ""
    assert "different databases" in problem_with(straight | {"NAME": "postgres"})
    assert "DATABASE_DIRECT_URL leads through a connection pooler as well" in problem_with(straight | pooler)
    monkeypatch.setitem(connections.databases, DIRECT, straight)
    lock = Lock()
    assert lock.wait(threading.Event())
    lock.release()
    del connections[DIRECT]


def test_nothing_is_prepared_behind_it(straight, pooler) -> None:
    options = {"dbname": straight["NAME"], "user": "postgres", "prepare_threshold": 2}
    with Connection.connect(host=pooler["HOST"], port=pooler["PORT"], **options) as through:
        assert through.prepare_threshold is None
    with Connection.connect(host=straight["HOST"], **options) as own:
        assert own.prepare_threshold == 2
