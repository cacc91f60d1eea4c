"""Between two passes: submissions are answered without a look at the cluster; logs hold up nobody."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from clusterops.reconciler import loop as looping
from clusterops.reconciler import study_runs
from clusterops.reconciler.beside import Beside, LogKeeper
from clusterops.reconciler.doorbell import Bell, Doorbell
from clusterops.reconciler.loop import between_passes
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory, Pass
from simulations.models import Job
from tests.clusterops.reconciler.canned import CannedApi, gateway_of
from tests.factories import JobFactory


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Pass]:
    """Dispatch steps that were taken."""
    taken: list[Pass] = []

    def step(this_pass: Pass, *, until: float) -> None:
        taken.append(this_pass)
        this_pass.more_to_start = False

    monkeypatch.setattr(looping, "start_more", step)
    return taken


def a_pass(**columns: object) -> Pass:
    this_pass = reconcile_once(gateway_of(CannedApi()))
    for name, value in columns.items():
        setattr(this_pass, name, value)
    return this_pass


def between(
    this_pass: Pass | None, bell: Doorbell, stop: threading.Event, may: Callable[[], bool] = lambda: True
) -> None:
    between_passes(this_pass, 0.0, 0.3, bell, stop, may)


def test_a_submission_rings_for_the_dispatcher_only(db, stop, steps) -> None:
    bell, this_pass = Doorbell(stop), a_pass()
    bell.ring(Bell.DISPATCH)
    began = time.monotonic()
    between(this_pass, bell, stop)
    assert steps == [this_pass]
    assert time.monotonic() - began >= 0.3  # the whole interval: no pass was asked for


def test_the_clusters_ring_is_for_a_pass(db, stop, steps) -> None:
    bell = Doorbell(stop)
    bell.ring()
    between(a_pass(), bell, stop)
    assert steps == []


def test_what_the_rate_left_over_is_started_without_a_ring(db, stop, steps) -> None:
    between(a_pass(more_to_start=True), Doorbell(stop), stop)
    assert len(steps) == 1


@pytest.mark.parametrize("columns", [{"seen": False}, {"settled": False}, {"unreachable": 1}])
def test_without_the_cluster_a_submission_asks_for_a_pass(db, stop, steps, columns) -> None:
    bell = Doorbell(stop)
    bell.ring(Bell.DISPATCH)
    between(a_pass(**columns), bell, stop)
    assert steps == []


def test_a_lost_lock_ends_it(db, stop, steps) -> None:
    between(a_pass(more_to_start=True), Doorbell(stop), stop, lambda: False)
    assert steps == []


def test_rings_add_up(stop) -> None:
    bell = Doorbell(stop)
    assert bell.wait(0) == Bell.NONE
    bell.ring(Bell.DISPATCH)
    bell.ring()
    assert bell.wait(10) == Bell.DISPATCH | Bell.PASS
    assert bell.wait(0) == Bell.NONE


@pytest.mark.django_db(transaction=True)
def test_a_log_that_does_not_come_holds_up_no_start_and_no_ending() -> None:
    api, comes = CannedApi(), threading.Event()
    rung = threading.Event()
    memory = Memory(keeper=LogKeeper(rung.set))
    slow, other = (JobFactory(status="RUNNING", reason="RUNNING", dispatched_at="2026-01-01T00:00:00Z") for _ in "ab")
    for job in (slow, other):
        api.add(job, message='{"v": 1, "outcome": "succeeded", "uploaded": true}', exit_code=None)

    def log(pod: str) -> str:
        comes.wait(20)
        return "its last line\n"

    api.log = log
    api.lists["jobs"].clear(), api.lists["pods"].clear()
    api.add(slow, message='{"v": 1, "outcome": "succeeded", "uploaded": true}')
    api.add(other, exit_code=None)
    reconcile_once(gateway_of(api), memory)
    assert Job.objects.get(pk=slow.pk).status == "SUCCEEDED"
    api.lists["jobs"].clear(), api.lists["pods"].clear()
    api.add(other, message='{"v": 1, "outcome": "succeeded", "uploaded": true}')
    reconcile_once(gateway_of(api), memory)  # while the log of the first one is waited for
    assert Job.objects.get(pk=other.pk).status == "SUCCEEDED"
    assert Job.objects.get(pk=slow.pk).released_at is None
    comes.set()
    assert rung.wait(20)  # the second one's turn has come
    reconcile_once(gateway_of(api), memory)
    memory.keeper.wait()
    connection.close()
    for job in (slow, other):
        job.refresh_from_db()
        assert job.released_at
        assert job.log.text == "its last line\n"


@pytest.mark.django_db(transaction=True)
def test_traffic_that_storage_does_not_give_holds_up_no_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    comes, folding = threading.Event(), []

    def fold(*_: object) -> None:
        folding.append(threading.current_thread())
        comes.wait(20)

    monkeypatch.setattr(study_runs, "fold_ended", fold)
    api, rung = CannedApi(), threading.Event()
    memory = Memory(traffic_keeper=Beside("traffic of studies", rung.set))
    reconcile_once(gateway_of(api), memory)
    job = JobFactory(status="RUNNING", reason="RUNNING", dispatched_at="2026-01-01T00:00:00Z")
    api.add(job, message='{"v": 1, "outcome": "succeeded", "uploaded": true}')
    reconcile_once(gateway_of(api), memory)
    assert Job.objects.get(pk=job.pk).status == "SUCCEEDED"
    assert len(folding) == 1
    assert folding[0] is not threading.current_thread()
    comes.set()
    assert rung.wait(20)
    reconcile_once(gateway_of(api), memory)
    memory.traffic_keeper.wait()
    assert len(folding) == 2
