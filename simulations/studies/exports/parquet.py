"""The tables as Parquet, with types, where pyarrow is installed: it takes 150 MB, so that the product does without."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any

from simulations.made_while_sent import Pipe
from simulations.studies.exports import tables
from simulations.studies.models import Study
from tenants.errors import ApiError

MEDIA_TYPE = "application/vnd.apache.parquet"
GROUP = 20_000  # rows that are packed together
TEXTS = ("study_id", "cell", "variant", "status", "reason", "message", "job_id", "sumo_version", "edge", "against")
KINDS = dict.fromkeys(TEXTS, "string") | {
    "seed": "int64", "tries": "int64", "runs": "int64", "pairs": "int64", "reused": "bool_", "finished_at": "time",
}  # fmt: skip


def is_available() -> bool:
    return find_spec("pyarrow") is not None


def runs(study: Study) -> Generator[bytes, None, None]:
    """As runs.csv; a swept column has the type of its values. Raises ApiError 406."""
    return parts(tables.runs(study), {name: _kind_of(values) for name, values in study.request["sweep"].items()})


def parts(rows: Iterable[Iterable[Any]], kinds: Mapping[str, str] | None = None) -> Generator[bytes, None, None]:
    """The first row is the header; a column that no name tells otherwise holds numbers.

    Raises ApiError 406 export.no_parquet.
    """
    if not is_available():
        message = "This installation makes no Parquet, as pyarrow is not installed. The same table is there as CSV."
        raise ApiError(406, "export.no_parquet", message)
    return _parts(rows, {**KINDS, **(kinds or {})})


def _parts(rows: Iterable[Iterable[Any]], known: Mapping[str, str]) -> Generator[bytes, None, None]:
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    left = iter(rows)
    schema = arrow.schema([(str(name), _type(arrow, str(name), known)) for name in next(left)])
    pipe = Pipe()
    with parquet.ParquetWriter(pipe, schema, compression="zstd") as writer:
        while group := list(islice(left, GROUP)):
            columns = [
                arrow.array([_value(value, field.type == arrow.string()) for value in column], field.type)
                for column, field in zip(zip(*group, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
            yield pipe.drain()
    yield pipe.drain()


def _type(arrow: Any, name: str, kinds: Mapping[str, str]) -> Any:
    kind = kinds.get(name, "bool_" if name.endswith("_significant") else "float64")
    return arrow.timestamp("us", "UTC") if kind == "time" else getattr(arrow, kind)()


def _kind_of(values: Sequence[Any]) -> str:
    if all(isinstance(value, bool) for value in values):
        return "bool_"
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return "float64" if numbers else "string"


def _value(value: Any, is_text: bool) -> Any:
    """What a CSV leaves empty is null."""
    if value is None or value == "":
        return None
    return str(value) if is_text else value
