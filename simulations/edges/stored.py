"""A cell's sums as the maps take them."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from simulations.edges import sums
from simulations.edges.files import none, pieces
from simulations.edges.metrics import Traffic
from simulations.edges.models import CellTraffic, Network
from simulations.studies.models import Cell, Study
from tenants.errors import ApiError


def _network(network: Network) -> dict[str, Any]:
    """Its size, packed and unpacked, was bounded when it came."""
    told: dict[str, Any] = json.loads(b"".join(pieces(bytes(network.content))))
    return told


def ids_of(network: Network) -> list[str]:
    ids: list[str] = _network(network)["ids"]
    return ids


@dataclass(frozen=True)
class StoredTraffic:
    """One row, unpacked when it is needed."""

    row: CellTraffic

    @cached_property
    def network(self) -> dict[str, Any]:
        return _network(self.row.network)

    @property
    def edges(self) -> int:
        return len(self.network["ids"])

    @cached_property
    def _sums(self) -> array[float]:
        return sums.unpacked(self.row.sums)

    @cached_property
    def differences(self) -> array[float]:
        """To the cell that it is compared with; a statement of its own, as most answers need none."""
        return sums.unpacked(CellTraffic.objects.values_list("differences", flat=True).get(pk=self.row.pk))

    def traffic(self, interval: int | None = None) -> Traffic:
        """The mean over runs."""
        row = self.row
        seconds = sum(row.seconds) if interval is None else row.seconds[interval]
        return Traffic(
            lambda name: sums.column_of(self._sums, self.edges, row.columns, name, interval),
            self.network["length_m"],
            self.network["limit_ms"],
            seconds / row.runs,
            row.runs,
        )

    def edge(self, place: int, interval: int) -> Traffic:
        """The same of one edge alone."""
        row, step = self.row, self.edges

        def column(name: str) -> Sequence[float]:
            return [self._sums[step * (len(row.columns) * interval + row.columns.index(name)) + place]]

        length, limit = self.network["length_m"][place], self.network["limit_ms"][place]
        return Traffic(column, [length], [limit], row.seconds[interval] / row.runs, row.runs)


def cell_of(study: Study, name: str | None) -> Cell:
    """The named cell; without a name the first. Raises ApiError 404 study.no_cell."""
    cells = study.cells.order_by("position")
    cell = (cells.filter(name=name) if name is not None else cells).first()
    if cell is None:
        raise ApiError(404, "study.no_cell", "The study has no such cell; GET /studies/{id} lists them.")
    return cell


def traffic_of_cell(cell: Cell, *, sums: bool = True) -> StoredTraffic:
    """Raises ApiError 404 edges.none."""
    rows = CellTraffic.objects.select_related("network").defer("differences")
    row = (rows if sums else rows.defer("differences", "sums", "network__content")).filter(cell=cell).first()
    if row is None:
        raise none(f"No run of “{cell.name}” has brought traffic per edge yet.")
    return StoredTraffic(row)
