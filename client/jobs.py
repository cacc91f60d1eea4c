"""One job: watched, followed, cancelled, its results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urllib3.exceptions import HTTPError

from . import downloads
from .errors import ApiProblem
from .events import events
from .watching import Watched

if TYPE_CHECKING:
    from .api import Client

FINISHED = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
PIECE = 64 * 1024
LONG_POLL_S = 30.0  # less than what the transport waits for an answer


class Job(Watched):
    """A job as it was when last looked at; `data` is the service's answer."""

    def __init__(self, client: Client, data: dict[str, Any]) -> None:
        self._client, self.data = client, data
        self.id: str = data["job_id"]

    def __repr__(self) -> str:
        return f"<Job {self.id} {self.status}>"

    @property
    def is_finished(self) -> bool:
        return self.status in FINISHED

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    @property
    def kpis(self) -> dict[str, Any]:
        """The traffic figures; what was not measured is None. Empty before the end."""
        return dict((self.data["results"] or {}).get("kpis") or {})

    def wait(self, *, timeout_s: float | None = None) -> Job:
        """Until it has ended, however it ended; the service tells as soon as it has. Raises TimeoutError."""
        began = time.monotonic()
        self.refresh()
        while not self.is_finished:
            left = LONG_POLL_S if timeout_s is None else min(LONG_POLL_S, timeout_s - (time.monotonic() - began))
            if left <= 0:
                raise TimeoutError(f"Job {self.id} has not ended after {timeout_s:g} s: {self.message}")
            try:
                self.data = self._client.get(f"/jobs/{self.id}", wait=max(1, round(left)))
            except ApiProblem as problem:
                if problem.status != 503:
                    raise
                return self._looked_at(began, timeout_s)  # too many wait: look now and then
        return self

    def refresh(self) -> Job:
        self.data = self._client.get(f"/jobs/{self.id}")
        return self

    def cancel(self) -> Job:
        """Ask for its end; asking again changes nothing. Raises ApiProblem 409 if it has ended."""
        self.data = self._client.post(f"/jobs/{self.id}/cancel")
        return self

    def events(self) -> list[dict[str, Any]]:
        """Its timeline."""
        return list(self._client.get(f"/jobs/{self.id}/events")["events"])

    def log(self, *, tail: int | None = None, readable: bool = True) -> dict[str, Any]:
        """Its log as of now in `logs`, and where that comes from."""
        told: dict[str, Any] = self._client.get(f"/jobs/{self.id}/logs", tail=tail, readable=int(readable))
        return told

    def follow_log(self, *, readable: bool = True) -> Iterator[str]:
        """Its log, line by line, until it has ended; lines that begin with `# ` are the service's own. A connection
        that ends before, as when the service restarts, goes on after the last line."""
        path = f"/jobs/{self.id}/logs?follow=1" + ("&readable=1" if readable else "")
        transport = self._client.transport
        position, pauses = "", transport.pauses()
        while True:
            headers = {"Accept": "text/event-stream"}
            if position:
                headers["Last-Event-ID"] = position
            cut: Exception | str = "the log does not go on"
            try:
                with transport.stream(path, headers, pauses=pauses) as answer:
                    if answer.status == 204:  # the end was told before
                        return
                    for event in events(iter(lambda: answer.read1(PIECE), b"")):
                        pauses.again()
                        position = event.get("id", position)
                        kind = event.get("event", "line")
                        if kind not in {"cut", "life"}:
                            yield ("" if kind == "line" else "# ") + event["data"]
                        if kind == "end":
                            return
            except (HTTPError, OSError) as error:
                cut = error
            pauses.next(ApiProblem(f"{self._client.url} does not go on with the log: {cut}"))

    def results(self) -> dict[str, Any]:
        """KPIs, warnings and the list of files; before its end what there is so far."""
        told: dict[str, Any] = self._client.get(f"/jobs/{self.id}/results")
        return told

    def network(self) -> dict[str, Any]:
        """The edges to draw, if it was asked for the output `edges`."""
        told: dict[str, Any] = self._client.get(f"/jobs/{self.id}/network.json")
        return told

    def edges(self, metric: str = "speed_ratio", *, interval: int | None = None, per: str = "edge") -> dict[str, Any]:
        """A figure of every edge, in the order of the network's `ids`; `per` is edge or km."""
        told: dict[str, Any] = self._client.get(f"/jobs/{self.id}/edges", metric=metric, interval=interval, per=per)
        return told

    def edge_curve(self, edge: str) -> dict[str, Any]:
        """All figures of one edge, interval by interval."""
        told: dict[str, Any] = self._client.get(f"/jobs/{self.id}/edges/curve", edge=edge)
        return told

    def download(
        self, to: str | Path, *, names: list[str] | None = None, report: downloads.Report | None = None
    ) -> list[Path]:
        """Its result files, or those of `names`, below the folder `to`: several at a time, each checked by its
        SHA-256; what is there already stays, what was cut goes on. `report` is told bytes there and in all."""
        files = self.results()["files"]
        if names is not None:
            known = {each["name"]: each for each in files}
            if missing := [name for name in names if name not in known]:
                raise ApiProblem(f"The job has no {', '.join(missing)}; it has: {', '.join(known) or 'nothing'}.")
            files = [known[name] for name in names]
        return downloads.all_of(self._client.transport, files, Path(to), report)
