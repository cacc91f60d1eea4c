"""Who is acting, by which way: told to the database beside each statement that changes what `Change` records.

What comes past it, such as a hand's SQL, is recorded as the database's own user.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

NAME, WAY = 150, 60  # characters
ADMIN, API, PAGES = "admin", "API", "pages"  # staff's pages; programs with a key; tenants' pages. Else a command.
OWN_WAYS = frozenset({API, PAGES})  # those of a tenant itself
WRITES = re.compile(
    r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?(?:tenants|plans|plan_prices|plan_assignments|api_keys|members|'
    r"invitations|trusted_issuers|webhook_endpoints|budgets)\b"
)
USE_OF_KEY = 'UPDATE "api_keys" SET "last_used_at"'  # no change, and every request's


class Acting(NamedTuple):
    """`by` is asked when something is changed: to know it may need the database."""

    by: Callable[[], str]
    via: Callable[[], str]


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting(by: Callable[[], str], via: Callable[[], str]) -> Iterator[None]:
    """What is changed in here is of that person, by that way."""
    token = _acting.set(Acting(by, via))
    try:
        yield
    finally:
        _acting.reset(token)


def recording(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Wraps every statement: before one that changes what is watched, the transaction is told who is acting."""
    who = _acting.get()
    if who is None or not isinstance(sql, str) or not WRITES.match(sql) or sql.startswith(USE_OF_KEY):
        return execute(sql, params, many, context)
    connection: BaseDatabaseWrapper = context["connection"]
    told = (who.by()[:NAME], who.via()[:WAY])
    if connection.in_atomic_block:
        _tell(connection, told)
        return execute(sql, params, many, context)
    with transaction.atomic(connection.alias):
        _tell(connection, told)
        return execute(sql, params, many, context)


def _tell(connection: BaseDatabaseWrapper, told: tuple[str, str]) -> None:
    """Until the transaction ends: a pooler may give its session to others after that."""
    with connection.cursor() as own:
        own.execute("SELECT set_config('sumok8.by', %s, true), set_config('sumok8.via', %s, true)", told)


def record(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """For each new connection."""
    if recording not in connection.execute_wrappers:
        connection.execute_wrappers.append(recording)
