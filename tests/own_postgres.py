"""A PostgreSQL of a test's own, for what may not happen to the one that all test processes share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from sumok8.embedded_postgres import DATABASE, EmbeddedPostgres
from tests.database_copy import dump, restore
from tests.template_database import connected_to


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
