"""What the pool asks of a connection before it gives it away: nothing of one that has just answered."""

from collections.abc import Iterator

import psycopg
import pytest

from tenants import database
from tenants.database import Connection, direct_connection

pytestmark = pytest.mark.django_db


@pytest.fixture
def own() -> Iterator[Connection]:
    with direct_connection() as own:
        own.execute("SELECT 1")
        yield own


def is_asked(own: Connection) -> bool:
    before = own._heard_at
    own.execute("")
    return own._heard_at > before


def test_a_fresh_one_is_not_asked(own: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_asked(own)
    monkeypatch.setattr(database, "FRESH_S", 0.0)
    assert is_asked(own)


def test_behind_a_pooler_it_is(own: Connection) -> None:
    own.prepare_threshold = None
    assert is_asked(own)


def test_one_whose_server_has_hung_up_is_found_out_at_once(own: Connection) -> None:
    with direct_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [own.info.backend_pid])  # waits for its end
    with pytest.raises(psycopg.OperationalError):
        own.execute("")
