"""An answer that keeps a thread while it is sent gives back what it took as its reader goes; others wait their turn."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from zipfile import ZipInfo

import pytest
from django.db import connection

from simulations import held, made_while_sent
from simulations.held import HeldAnswer, makers, place_and_turn, places, turn
from tenants.errors import ApiError
from tenants.models import Tenant


def test_a_reader_that_leaves_frees_the_place_and_closes_what_is_open(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(10 * made_while_sent.WORTH_SENDING))
    opened = []

    def members() -> Generator[made_while_sent.Member, None, None]:
        with large.open("rb") as file:
            opened.append(file)
            yield ZipInfo("large"), iter(lambda: file.read(1000), b"")

    before = places.taken
    answer = HeldAnswer("city-a", made_while_sent.zipped(members()))
    assert next(iter(answer))
    assert (places.taken, opened[0].closed) == (before + 1, False)
    answer.close()
    assert (places.taken, opened[0].closed) == (before, True)
    answer.close()
    assert places.taken == before


def test_parts_that_fail_as_they_are_closed_keep_no_place() -> None:
    def parts() -> Generator[bytes, None, None]:
        try:
            yield b"first"
        finally:
            raise OSError

    before = places.taken
    answer = HeldAnswer("city-a", parts())
    next(iter(answer))
    with pytest.raises(OSError):
        answer.close()
    assert places.taken == before


@pytest.mark.django_db(transaction=True)
def test_while_a_reader_takes_its_time_no_database_connection_is_kept() -> None:
    def parts() -> Generator[bytes, None, None]:
        for _ in range(2):
            assert not Tenant.objects.exists()
            yield b"part"

    answer = HeldAnswer("city-a", parts())
    for _ in answer:
        assert connection.connection is None
    answer.close()


@pytest.mark.django_db(transaction=True)
def test_what_keeps_the_interpreter_busy_is_made_for_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a tenant one at a time, of all two; whoever waits has no connection, and no place after the time is over."""
    monkeypatch.setattr(held, "TURN_S", 0.05)
    with ThreadPoolExecutor(2) as threads, place_and_turn("city-a"):
        with pytest.raises(ApiError, match="Too many large answers"), place_and_turn("city-a"):
            pass
        assert makers.taken == 1
        with turn("city-b"):
            Tenant.objects.exists()
            waiting = threads.submit(_take_turn, "city-c")
            with pytest.raises(ApiError), turn("city-d", 0.05):
                pass
            assert connection.connection is None
            assert not waiting.done()
        assert waiting.result(10)
    assert not makers.taken


def _take_turn(tenant_id: str) -> bool:
    with turn(tenant_id, 10):
        return True
