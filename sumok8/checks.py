"""What `manage.py check --deploy` asks beyond Django's own questions."""

from typing import Any

import psycopg
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.db import DatabaseError

from tenants.database import configuration_problem


@register(Tags.database, deploy=True)
def the_way_to_the_database(**options: Any) -> list[CheckMessage]:
    """A pooler hands a session from caller to caller, which no lock and no LISTEN survives."""
    try:
        problem = configuration_problem()
    except (DatabaseError, psycopg.Error) as error:
        return [Info(f"The way to the database was not checked; it does not answer: {error}", id="sumok8.I001")]
    return [Error(problem, id="sumok8.E001")] if problem else []
