"""The embedded PostgreSQL: starts, keeps its data, survives being killed, refuses nobody's checkout."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sumok8.embedded_postgres import DATABASE, EmbeddedPostgres


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    # Not tmp_path: as root the server runs as nobody, who may not enter pytest's folders; that is a case of its own.
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    yield server
    server.stop()
    shutil.rmtree(folder)


def connect(server: EmbeddedPostgres) -> psycopg.Connection:
    return psycopg.connect(host=str(server.socket_dir), user="postgres", dbname=DATABASE, autocommit=True)


def test_starting_again_finds_the_data(server: EmbeddedPostgres) -> None:
    url = server.start()
    with connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    server.stop()
    assert server.pid() is None
    assert server.start() == url
    with connect(server) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_killed_server_starts_again(server: EmbeddedPostgres) -> None:
    server.start()
    pid = server.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    server.start()
    with connect(server) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_it_listens_on_its_socket_only(server: EmbeddedPostgres) -> None:
    server.start()
    with connect(server) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert server.socket_dir.stat().st_mode & 0o077 == 0


def test_it_starts_in_a_folder_that_others_may_not_enter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    try:
        server.start()
        assert server.pid()
    finally:
        server.stop()
        shutil.rmtree(server.home, ignore_errors=True)
