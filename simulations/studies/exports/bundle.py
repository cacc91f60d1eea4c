"""Everything of a study as one zip."""

import json
from collections.abc import Generator, Iterable
from zipfile import ZIP_DEFLATED, ZipInfo

from simulations import made_while_sent
from simulations.edges.exports import edges, has_edges
from simulations.held import turn
from simulations.studies.exports import tables
from simulations.studies.exports.report import report
from simulations.studies.models import Study
from simulations.studies.results import as_json, results_of


def bundle(study: Study) -> Generator[bytes, None, None]:
    return made_while_sent.zipped(_members(study))


def _members(study: Study) -> Generator[made_while_sent.Member, None, None]:
    for name, texts in _parts(study):
        info = ZipInfo(name)
        info.compress_type = ZIP_DEFLATED
        yield info, (text.encode() for text in texts)


def _parts(study: Study) -> Generator[tuple[str, Iterable[str]], None, None]:
    """What is computed for long is made in the tenant's turn, which is over before any of it is sent."""
    request = study.request | {"seeds": study.seeds, "study_id": str(study.pk), "status": study.status}
    with turn(study.tenant_id):
        results = results_of(study)
        summary = json.dumps(as_json(results), indent=2)
    yield "study.json", [json.dumps(request, indent=2)]
    yield "summary.json", [summary]
    yield "runs.csv", tables.lines(tables.runs(study))
    for name, rows in tables.FROM_RESULTS.items():
        yield name, tables.lines(rows(results))
    with turn(study.tenant_id):
        text = report(results)
    yield "report.html", [text]
    if has_edges(study):
        yield "edges.csv", tables.lines(edges(study))
