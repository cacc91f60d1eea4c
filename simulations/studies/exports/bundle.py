"""Everything of a study as one zip."""

import json
import tempfile
import zipfile
from collections.abc import Iterable
from typing import IO

from simulations.edges.exports import edges, has_edges
from simulations.studies.exports import tables
from simulations.studies.exports.report import report
from simulations.studies.models import Study
from simulations.studies.results import as_json, results_of

IN_MEMORY = 4 * 1024**2  # bytes; the rest goes to a temporary file


def bundle(study: Study) -> IO[bytes]:
    """An open file at its begin, gone when closed."""
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
    file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, texts in parts.items():
            with packed.open(name, "w") as part:
                for text in texts:
                    part.write(text.encode())
    file.seek(0)
    return file
