"""Everything of a study as one zip."""

import json
from collections.abc import Generator, Iterable, Mapping
from zipfile import ZIP_DEFLATED, ZipInfo

from simulations import made_while_sent
from simulations.edges.exports import edges, has_edges
from simulations.studies.exports import tables
from simulations.studies.exports.report import report
from simulations.studies.models import Study
from simulations.studies.results import as_json, results_of


def bundle(study: Study) -> Generator[bytes, None, None]:
    results = results_of(study)
    request = study.request | {"seeds": study.seeds, "study_id": str(study.pk), "status": study.status}
    parts: dict[str, Iterable[str]] = {
        "study.json": [json.dumps(request, indent=2)],
        "summary.json": [json.dumps(as_json(results), indent=2)],
        "runs.csv": tables.lines(tables.runs(study)),
        **{name: tables.lines(rows(results)) for name, rows in tables.FROM_RESULTS.items()},
        "report.html": [report(results)],
    }
    if has_edges(study):
        parts["edges.csv"] = tables.lines(edges(study))
    return made_while_sent.zipped(_members(parts))


def _members(parts: Mapping[str, Iterable[str]]) -> Generator[made_while_sent.Member, None, None]:
    for name, texts in parts.items():
        info = ZipInfo(name)
        info.compress_type = ZIP_DEFLATED
        yield info, (text.encode() for text in texts)
