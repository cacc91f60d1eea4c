"""What `manage.py check` asks beyond Django's own questions."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.db import DatabaseError

from sumok8 import setting_rules
from tenants.database import configuration_problem


@register()
def settings_that_can_be_meant(**options: Any) -> list[CheckMessage]:
    return [Error(problem, id="sumok8.E002") for problem in setting_rules.problems(settings)]


@register(Tags.database, deploy=True)
def the_way_to_the_database(**options: Any) -> list[CheckMessage]:
    """A pooler hands a session from caller to caller, which no lock and no LISTEN survives."""
    try:
        problem = configuration_problem()
    except (DatabaseError, psycopg.Error) as error:
        return [Info(f"The way to the database was not checked; it does not answer: {error}", id="sumok8.I001")]
    return [Error(problem, id="sumok8.E001")] if problem else []
