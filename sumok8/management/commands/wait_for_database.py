import time
from typing import Any

import psycopg
from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError, connection

from tenants.management.base import OperatorCommand

PAUSE_S = 2.0


class Command(OperatorCommand):
    help = (
        "Wait until the database answers, and say why it does not whenever that changes: for what starts with it, such "
        "as the migration of a first installation."
    )
    example = "manage.py wait_for_database --timeout 600"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--timeout", type=float, default=3000, metavar="S", help="then fail (3000)")

    def handle(self, *args: Any, timeout: float, **options: Any) -> None:
        deadline, told = time.monotonic() + timeout, ""
        while problem := _problem():
            if problem != told:
                self.stdout.write(f"The database does not answer yet: {problem}")
                self.stdout.flush()  # who waits reads it now, through a pipe as well
                told = problem
            if time.monotonic() > deadline:
                raise CommandError(f"The database did not answer within {timeout:.0f} s: {problem}")
            time.sleep(min(PAUSE_S, timeout))
        self.stdout.write("The database answers.")


def _problem() -> str:
    """Why it does not answer; asked by a connection of its own, since a pool hides the reason."""
    parameters = connection.get_connection_params()
    for ours in ("pool", "cursor_factory", "context"):
        parameters.pop(ours, None)
    try:
        with psycopg.connect(**parameters) as own:
            own.execute("SELECT 1")
    except (psycopg.Error, DatabaseError) as error:
        return " ".join(str(error).split())[:300]
    return ""
