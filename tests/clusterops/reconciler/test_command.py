"""`manage.py reconcile_jobs` as a process: doorbells, signals, the lock, kill -9."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from clusterops.gateway import forget_gateways
from clusterops.models import ReconcilerState
from simulations.models import Job, JobEvent
from tests.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)

INTERVAL_S = "600"  # whatever happens sooner was rung for


def wait_for(holds: Callable[[], object], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.02)


@pytest.fixture
def start(fate_cluster, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    # Only the database's name differs from the one the tests were started with.
    server, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    env = {
        **os.environ,
        "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
        "HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        "KUBE_CONFIG_PATH": str(fate_cluster.config.kubeconfig),
        "LOG_LEVEL": "CRITICAL",
    }
    command = [sys.executable, "manage.py", "reconcile_jobs"]
    with ExitStack() as started:

        def _start(*arguments: str) -> subprocess.Popen:
            process = subprocess.Popen([*command, *arguments], cwd=settings.BASE_DIR, env=env)
            started.callback(process.wait)
            started.callback(process.kill)
            return process

        yield _start


def first_pass_done() -> bool:
    return ReconcilerState.get().passes > 0


def test_rings_bring_a_job_from_submission_to_its_recorded_end(start, submit, tmp_path) -> None:
    process = start("--interval", INTERVAL_S)
    wait_for(first_pass_done)
    job = submit()
    wait_for(lambda: Job.objects.get(pk=job.pk).is_finished)
    job.refresh_from_db()
    assert job.status == "SUCCEEDED"
    assert (tmp_path / "heartbeat").exists()
    held = submit(hold="/nonexistent")
    wait_for(lambda: Job.objects.get(pk=held.pk).status == "RUNNING")
    held.request_cancel()
    single = start("--once")  # waits for the lock
    wait_for(lambda: Job.objects.get(pk=held.pk).status == "CANCELLED")
    assert single.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert single.wait(timeout=20) == 0


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.long
def test_a_standby_tells_the_probes_that_it_lives_and_goes_on_when_the_first_ends(start, db, tmp_path) -> None:
    ports = free_port(), free_port()
    first = start("--interval", INTERVAL_S, "--metrics", f"127.0.0.1:{ports[0]}")
    wait_for(first_pass_done)
    heartbeat = tmp_path / "heartbeat"
    wait_for(heartbeat.exists)
    heartbeat.unlink()  # the first one rests for ten minutes now
    standby = start("--interval", INTERVAL_S, "--metrics", f"127.0.0.1:{ports[1]}")
    for _ in range(2):
        passes = ReconcilerState.get().passes
        wait_for(heartbeat.exists)
        heartbeat.unlink()
    assert standby.poll() is None
    assert passes == ReconcilerState.get().passes
    leading, waiting = map(scraped, ports)
    assert 'sumok8_reconciler_passes_total{result="whole"}' in leading
    assert 'sumok8_cluster_requests_total{code="200",verb="GET"}' in leading
    assert 'sumok8_attention{cause="reconciler_silent",who="operator"} 0.0' in leading
    assert "sumok8_attention{" not in waiting
    first.send_signal(signal.SIGINT)
    assert first.wait(timeout=10) == 0
    wait_for(lambda: passes < ReconcilerState.get().passes)
    standby.send_signal(signal.SIGTERM)
    assert standby.wait(timeout=10) == 0


def test_killed_in_the_middle_and_started_again_each_job_ends_once(start, submit, tmp_path) -> None:
    go = tmp_path / "go"
    process = start("--interval", INTERVAL_S)
    wait_for(first_pass_done)
    jobs = [submit(hold=str(go)) for _ in range(3)]
    wait_for(lambda: Job.objects.filter(dispatched_at__isnull=False).exists())
    process.kill()
    process.wait()
    go.touch()
    start("--interval", INTERVAL_S)
    wait_for(lambda: not Job.objects.active().exists())
    for job in jobs:
        job.refresh_from_db()
        assert (job.status, job.attempt) == ("SUCCEEDED", 1)
        assert JobEvent.objects.filter(job=job, status="SUCCEEDED").count() == 1


def test_without_a_cluster_it_says_so_and_fails(submit, settings) -> None:
    job = submit()
    settings.KUBE_CONFIG_PATH = "/nonexistent"
    forget_gateways()
    with pytest.raises(CommandError, match="how to reach the cluster"):
        call_command("reconcile_jobs", "--once")
    forget_gateways()
    assert Job.objects.get(pk=job.pk).dispatched_at is None
