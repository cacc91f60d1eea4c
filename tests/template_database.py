"""One migrated database for a test run, of which each test process takes a copy: migrating costs 12 s, a copy 0.2 s.

`python -m tests.template_database` makes it while the test processes still collect.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.core.management import call_command
from django.db import connection

from tests.last_will import MARK

TEMPLATE = f"template_{os.environ[MARK].replace('-', '_')}"  # this run's: another one's may be of older code


def _server() -> psycopg.Connection:
    """To the server of the tests; databases are made and dropped outside of transactions."""
    told = connection.settings_dict
    return psycopg.connect(
        host=told["HOST"],
        port=told["PORT"] or None,
        user=told["USER"],
        password=told["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    )


@contextmanager
def connected_to(**other: str) -> Iterator[None]:
    """The product's connection leads there; NAME, HOST as in Django's DATABASES."""
    before = {name: connection.settings_dict[name] for name in other}
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(other)
    try:
        yield
    finally:
        connection.close()
        connection.close_pool()
        connection.settings_dict.update(before)


def make_template() -> None:
    """Make the template unless it is there; whoever comes meanwhile waits."""
    with _server() as server:
        server.execute("SELECT pg_advisory_lock(1)")  # until this connection ends
        if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        with connected_to(NAME=TEMPLATE):
            call_command("migrate", verbosity=0)


def _run(*statements: str) -> None:
    with _server() as server:
        for statement in statements:
            server.execute(statement)


def drop_template() -> None:
    _run(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")


@contextmanager
def copy_of_template(name: str) -> Iterator[None]:
    """The product's connection leads to a fresh copy. At the end whoever is still connected to it is sent away."""
    _run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
    with connected_to(NAME=name):
        yield
    _run(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    import django

    django.setup()
    make_template()
