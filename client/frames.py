"""Results as rows, and as pandas frames where pandas is installed (`pip install 'sumok8[frames]'`)."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from .errors import ApiProblem
from .jobs import Job
from .studies import Study

if TYPE_CHECKING:
    import pandas

TRIPS, EDGES = "tripinfo.xml.gz", "edgedata.xml.gz"


def runs_frame(study: Study) -> pandas.DataFrame:
    """A row for each run of a study: cell, seed, status and its figures."""
    return _frame(
        {**{name: run[name] for name in run if name != "kpis"}, **(run["kpis"] or {})} for run in study.runs()
    )


def trips_frame(job: Job) -> pandas.DataFrame:
    """A row for each finished trip of a job, with SUMO's names; emissions as `emissions.…`."""
    return _frame(trips(job))


def edges_frame(job: Job) -> pandas.DataFrame:
    """A row for each edge; the job must have been asked for the output `edgedata`."""
    return _frame(edges(job))


def trips(job: Job) -> Iterator[dict[str, Any]]:
    """Each finished trip of a job."""
    for element in _elements(job, TRIPS, "tripinfo"):
        yield _numbers(element.attrib) | {
            f"{child.tag}.{name}": value for child in element for name, value in _numbers(child.attrib).items()
        }


def edges(job: Job) -> Iterator[dict[str, Any]]:
    """Each edge with traffic."""
    return (_numbers(element.attrib) for element in _elements(job, EDGES, "edge"))


def _frame(rows: Iterable[dict[str, Any]]) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError:
        raise ApiProblem("Frames need pandas: pip install pandas.") from None
    return pandas.DataFrame(list(rows))


def _elements(job: Job, name: str, tag: str) -> Iterator[ElementTree.Element]:
    """Each element of that tag in a result file, one in memory at a time."""
    with tempfile.TemporaryDirectory(prefix="sumok8-") as scratch:
        [path] = job.download(Path(scratch), names=[name])
        try:
            with gzip.open(path, "rb") as file:
                root = None
                for event, element in ElementTree.iterparse(file, events=("start", "end")):  # noqa: S314 - SUMO's
                    root = element if root is None else root
                    if event == "end" and element.tag == tag:
                        yield element
                        root.clear()
        except ElementTree.ParseError as error:  # a run that was cut short
            raise ApiProblem(f"{name} is not whole: {error}") from None


def _numbers(attributes: dict[str, str]) -> dict[str, Any]:
    return {name: _number(name, text) for name, text in attributes.items()}


def _number(name: str, text: str) -> Any:
    if name == "id":  # SUMO's names may look like numbers
        return text
    try:
        return float(text)
    except ValueError:
        return text
