"""A database that goes away ends the pass: the lock went with it, and another process may be at work."""

import pytest
from django.db import DataError, InterfaceError, OperationalError
from django.utils import timezone

from clusterops.gateway import Gateway, KubeApi
from clusterops.reconciler.pass_state import Memory, Pass


@pytest.fixture
def this_pass() -> Pass:
    return Pass(gateway=Gateway(KubeApi.__new__(KubeApi)), memory=Memory(), now=timezone.now())


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_no_wall_holds_a_lost_connection(this_pass: Pass, error: type[Exception]) -> None:
    with pytest.raises(error), this_pass.isolate("job"):
        raise error("server closed the connection unexpectedly")


def test_one_row_that_the_database_refuses_stays_behind_its_wall(this_pass: Pass) -> None:
    with this_pass.isolate("job"):
        raise DataError("value too long")
    assert this_pass.counts.errors == 1
