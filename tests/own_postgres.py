"""A PostgreSQL of a test's own, for what may not happen to the one that all test processes share."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from django.db import connection

from sumok8.embedded_postgres import DATABASE, EmbeddedPostgres, installed_binaries
from tests.template_database import connected_to


def dump(path: Path) -> Path:
    """This process's migrated database: a copy costs a tenth of migrating another."""
    told = connection.settings_dict
    way = {"PGHOST": told["HOST"], "PGPORT": told["PORT"], "PGUSER": told["USER"], "PGPASSWORD": told["PASSWORD"]}
    command = [installed_binaries() / "bin" / "pg_dump", "-d", told["NAME"], "-f", path]
    subprocess.run(command, check=True, env=os.environ | {name: str(value) for name, value in way.items()})
    return path


def restore(server: EmbeddedPostgres, dumped: Path) -> None:
    psql = [server.install / "bin" / "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", dumped]
    where = ["-h", server.socket_dir, "-U", "postgres", "-d", DATABASE]
    subprocess.run([*psql, *where], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def own_postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """The product's connection, and the web that tests start, lead to a migrated server that lives for this block."""
    dumped = dump(folder / "migrated.sql")
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    url = server.start()
    try:
        restore(server, dumped)
        at = {"HOST": str(server.socket_dir), "PORT": "", "USER": "postgres", "PASSWORD": "", "NAME": DATABASE}
        with mock.patch.dict(os.environ, DATABASE_URL=url), connected_to(**at):
            yield server
    finally:
        server.stop()
