"""One study: watched, steered, compared, its files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .watching import Watched

if TYPE_CHECKING:
    from .api import Client

ACTIVE = frozenset({"RUNNING", "PAUSED"})
FILES = ("archive.zip", "runs.csv", "summary.csv", "comparisons.csv", "report.html")
# Once a run has brought traffic per edge; Parquet where the service makes it.
MORE_FILES = ("edges.csv", "network.json", "runs.parquet", "edges.parquet")
RUNS_PAGE = 1000


class Study(Watched):
    """A study as it was when last looked at; `data` is the service's answer."""

    def __init__(self, client: Client, data: dict[str, Any]) -> None:
        self._client, self.data = client, data
        self.id: str = data["study_id"]
        self._here = f"/studies/{self.id}"

    def __repr__(self) -> str:
        return f"<Study {self.id} {self.status}>"

    @property
    def is_finished(self) -> bool:
        return self.status not in ACTIVE

    @property
    def is_complete(self) -> bool:
        """It has ended and may be judged by."""
        return self.status == "COMPLETE"

    def refresh(self) -> Study:
        self.data = self._client.get(self._here)
        return self

    def summary(self, *, confidence: float | None = None) -> dict[str, Any]:
        """What may be said so far: means with intervals, paired comparisons with a sentence each, flags."""
        told: dict[str, Any] = self._client.get(f"{self._here}/summary", confidence=confidence)
        return told

    def runs(self, *, status: Sequence[str] = (), cell: str | None = None) -> Iterator[dict[str, Any]]:
        """Each seed of each cell, page after page."""
        after = None
        while True:
            page = self._client.get(f"{self._here}/runs", status=list(status), cell=cell, after=after, limit=RUNS_PAGE)
            yield from page["runs"]
            after = page["next"]
            if after is None:
                return

    def pause(self) -> Study:
        """Start nothing new."""
        return self._act("pause")

    def resume(self) -> Study:
        return self._act("resume")

    def cancel(self) -> Study:
        """For good; results so far are kept."""
        return self._act("cancel")

    def retry(self) -> Study:
        """Run what failed again, with the same seeds."""
        return self._act("retry")

    def extend(self, seeds_total: int) -> Study:
        """Up to so many seeds in all."""
        self.data = self._client.post(
            f"{self._here}/extend", {"seeds_total": seeds_total}, idempotency_key=uuid.uuid4().hex
        )
        return self

    def download(self, to: str | Path, names: Sequence[str] = FILES) -> list[Path]:
        """The files of FILES and MORE_FILES that are named, in the folder `to`."""
        return [self._client.download(f"{self._here}/{name}", Path(to) / name) for name in names]

    def network(self, cell: str | None = None) -> dict[str, Any]:
        """The edges of a cell, to draw; default: the first cell."""
        told: dict[str, Any] = self._client.get(f"{self._here}/network.json", cell=cell)
        return told

    def edges(
        self,
        metric: str = "speed_ratio",
        *,
        cell: str | None = None,
        minus: str | None = None,
        interval: int | None = None,
        per: str = "edge",
    ) -> dict[str, Any]:
        """A figure of every edge, the mean of a cell's runs; with `minus` what it differs by from another cell's."""
        told: dict[str, Any] = self._client.get(
            f"{self._here}/edges", metric=metric, cell=cell, minus=minus, interval=interval, per=per
        )
        return told

    def edge_curve(self, edge: str, *, cell: str | None = None) -> dict[str, Any]:
        """All figures of one edge, interval by interval."""
        told: dict[str, Any] = self._client.get(f"{self._here}/edges/curve", edge=edge, cell=cell)
        return told

    def _act(self, act: str) -> Study:
        self.data = self._client.post(f"{self._here}/{act}")
        return self
