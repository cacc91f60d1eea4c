"""Model rows by plain, prepared SQL, for the statements of a submission and of a look at one job.

The ORM takes longer to put such a statement together than PostgreSQL to answer it, and PostgreSQL longer to plan it.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.utils import CursorWrapper
from django.db.models import JSONField, Model
from psycopg.types.json import Jsonb

Row = TypeVar("Row", bound=Model)
# The compiled one: Django's own takes six microseconds for each moment.
TIMESTAMPTZ: Any = psycopg.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, psycopg.pq.Format.TEXT)


def cursor() -> CursorWrapper:
    """Like `connection.cursor()`, but values travel apart from the statement, so that each connection plans it once."""
    connection.ensure_connection()
    bare: Any = psycopg.Cursor(connection.connection)
    bare.adapters.register_loader("timestamptz", TIMESTAMPTZ)
    return connection.make_debug_cursor(bare) if connection.queries_logged else connection.make_cursor(bare)


@cache
def columns(model: type[Model], alias: str) -> str:
    """All of the model's columns for a SELECT, in the order that `row` expects."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def row(model: type[Row], values: Sequence[Any]) -> Row:
    """The instance of a fetched row. For models whose columns need no conversion but JSON's."""
    found = model.from_db(DEFAULT_DB_ALIAS, _attributes(model), values)
    for name in _json_attributes(model):
        if (text := getattr(found, name)) is not None:
            setattr(found, name, json.loads(text))
    return found


def find(model: type[Row], **wanted: Any) -> Row | None:
    """The row whose columns are as `wanted`, which name at most one."""
    conditions = " AND ".join(f'm."{column}" = %({column})s' for column in wanted)
    statement = f'SELECT {columns(model, "m")} FROM "{model._meta.db_table}" m WHERE {conditions}'  # noqa: S608 - names of our own
    with cursor() as own:
        own.execute(statement, wanted)
        values = own.fetchone()
    return row(model, values) if values else None


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
