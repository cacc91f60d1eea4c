"""Model rows by plain, prepared SQL, for the three statements of a submission.

The ORM takes longer to put such a statement together than PostgreSQL to answer it, and PostgreSQL longer to plan it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import JSONField, Model
from psycopg.types.json import Jsonb

Row = TypeVar("Row", bound=Model)


def cursor() -> CursorWrapper:
    """Like `connection.cursor()`, but values travel apart from the statement, so that each connection plans it once."""
    connection.ensure_connection()
    bare: Any = psycopg.Cursor(connection.connection)
    return connection.make_debug_cursor(bare) if connection.queries_logged else connection.make_cursor(bare)


@cache
def columns(model: type[Model], alias: str) -> str:
    """All of the model's columns for a SELECT, in the order that `row` expects."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def row(model: type[Row], values: Sequence[Any]) -> Row:
    """The instance of a fetched row. For models whose columns need no conversion, so not for JSON."""
    return model.from_db(DEFAULT_DB_ALIAS, _attributes(model), values)


def insert(instance: Model, **computed: str) -> None:
    """INSERT the instance as it is, without `pre_save` of fields. `computed`: attribute → SQL instead of its value,
    with the other attributes as `%(name)s`."""
    model = type(instance)
    values = {name: getattr(instance, name) for name in _attributes(model) if name not in computed}
    for name in _json_attributes(model):
        if values[name] is not None:
            values[name] = Jsonb(values[name])
    with cursor() as own:
        own.execute(_insert_statement(model, tuple(computed.items())), values)
    instance._state.adding, instance._state.db = False, DEFAULT_DB_ALIAS


@cache
def _attributes(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@cache
def _json_attributes(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields if isinstance(field, JSONField)]


@cache
def _insert_statement(model: type[Model], computed: tuple[tuple[str, str], ...]) -> str:
    sql = dict(computed)
    names = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    values = ", ".join(sql.get(name, f"%({name})s") for name in _attributes(model))
    return f'INSERT INTO "{model._meta.db_table}" ({names}) VALUES ({values})'  # noqa: S608 - names of our own
