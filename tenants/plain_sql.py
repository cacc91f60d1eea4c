"""Model rows by plain SQL, for the two statements that dominate a submission.

The ORM takes longer to put such a statement together than PostgreSQL to answer it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

Row = TypeVar("Row", bound=Model)


@cache
def columns(model: type[Model], alias: str) -> str:
    """All of the model's columns for a SELECT, in the order that `row` expects."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def row(model: type[Row], values: Sequence[Any]) -> Row:
    """The instance of a fetched row. For models whose columns need no conversion, so not for JSON."""
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in model._meta.concrete_fields], values)
