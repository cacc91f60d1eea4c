"""The garbage collector sleeps while any thread reads a large list, and wakes after the last one."""

import gc
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from clusterops.gateway.garbage import collector_asleep


@pytest.fixture(autouse=True)
def awake() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_the_first_to_end_does_not_wake_it_and_the_last_does() -> None:
    began, end = threading.Event(), threading.Event()

    def first() -> None:
        with collector_asleep():
            began.set()
            end.wait(30)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(first)
        began.wait(30)
        with collector_asleep():
            end.set()
            running.result()
            assert not gc.isenabled()
    assert gc.isenabled()


def test_an_error_wakes_it() -> None:
    with pytest.raises(ValueError), collector_asleep():
        raise ValueError
    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()
    with collector_asleep():
        pass
    assert not gc.isenabled()


def test_many_threads_leave_it_awake() -> None:
    def often(_: int) -> None:
        for _ in range(300):
            with collector_asleep():
                assert not gc.isenabled()

    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(often, range(8)))
    finally:
        sys.setswitchinterval(patience)
    assert gc.isenabled()
