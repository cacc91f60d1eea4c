"""What `templates/edges/_map.html` needs as `map`. The page brings the addresses: each of its own answers of
`answers` or `study_answers`, or the API's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from simulations.edges.models import CellTraffic
from simulations.studies.models import Study
from simulations.sumo.protocol.edge_file import NAME, NETWORK_NAME


def job_map(names: Collection[str], *, network: str, edges: str, curve: str) -> dict[str, Any] | None:
    """For a job with these result files; None: it has no map."""
    if not {NAME, NETWORK_NAME} <= set(names):
        return None
    return {"network": network, "edges": edges, "curve": curve}


def study_map(study: Study, *, network: str, edges: str, curve: str, csv: str = "") -> dict[str, Any] | None:
    """One statement. It begins with the first cell that is compared with another, as its difference; None: no run has
    brought traffic per edge yet."""
    rows = CellTraffic.objects.filter(cell__study=study).order_by("cell__position")
    cells = list(rows.values_list("cell__position", "cell__name", "cell__against"))
    if not cells:
        return None
    names = {position: name for position, name, _ in cells}
    first, against = next(
        ((name, names[base]) for _, name, base in cells if base in names), (next(iter(names.values())), "")
    )
    addresses = {"network": network, "edges": edges, "curve": curve, "csv": csv}
    return {**addresses, "cells": list(names.values()), "cell": first, "against": against}
