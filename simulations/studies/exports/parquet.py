"""The tables as Parquet, with types, where pyarrow is installed: it takes 150 MB, so that the product does without."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import IO, Any

from simulations.studies.exports import tables
from simulations.studies.models import Study
from tenants.errors import ApiError

MEDIA_TYPE = "application/vnd.apache.parquet"
IN_MEMORY = 4 * 1024**2  # bytes; the rest goes to a temporary file
GROUP = 20_000  # rows that are packed together
TEXTS = ("study_id", "cell", "variant", "status", "reason", "message", "job_id", "sumo_version", "edge", "against")
KINDS = dict.fromkeys(TEXTS, "string") | {
    "seed": "int64", "tries": "int64", "runs": "int64", "pairs": "int64", "reused": "bool_", "finished_at": "time",
}  # fmt: skip


def is_available() -> bool:
    return find_spec("pyarrow") is not None


def runs(study: Study) -> IO[bytes]:
    """As runs.csv; a swept column has the type of its values. Raises ApiError 406."""
    return file(tables.runs(study), {name: _kind_of(values) for name, values in study.request["sweep"].items()})


def file(rows: Iterable[Iterable[Any]], kinds: Mapping[str, str] | None = None) -> IO[bytes]:
    """An open file at its begin, gone when closed. The first row is the header; a column that no name tells otherwise
    holds numbers. Raises ApiError 406 export.no_parquet."""
    if not is_available():
        message = "This installation makes no Parquet, as pyarrow is not installed. The same table is there as CSV."
        raise ApiError(406, "export.no_parquet", message)
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    known = {**KINDS, **(kinds or {})}
    left = iter(rows)
    schema = arrow.schema([(str(name), _type(arrow, str(name), known)) for name in next(left)])
    target: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        while group := list(islice(left, GROUP)):
            columns = [
                arrow.array([_value(value, field.type == arrow.string()) for value in column], field.type)
                for column, field in zip(zip(*group, strict=True), schema, strict=True)
            ]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema))
    target.seek(0)
    return target


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
