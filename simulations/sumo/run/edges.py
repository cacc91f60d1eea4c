"""Traffic per edge and interval, and the network to draw it on: for jobs that ask for the output `edges`."""

from __future__ import annotations

import gzip
import math
import time
from pathlib import Path

from simulations.sumo.inputs.net_geometry import NetGeometry, TooLarge, read_networks
from simulations.sumo.inputs.options import EDGES
from simulations.sumo.inputs.scenario_paths import decoded
from simulations.sumo.inputs.xmlfiles import TooSlow
from simulations.sumo.inputs.xmlscan import XmlError
from simulations.sumo.protocol import edge_file
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.results import edge_data, outputs
from simulations.sumo.results.outputs import ResultFile
from simulations.sumo.run.plan import EDGES_FILE, RunPlan
from simulations.sumo.run.report import Report
from simulations.sumo.run.workspace import Workspace

MAX_NETWORK_S = 30.0
MAX_DATA_S = 60.0
GZIP_LEVEL = 6
TROUBLES = (XmlError, OSError, TooSlow, TooLarge, ValueError, OverflowError, KeyError)  # a place may be “inf”


class EdgeOutput:
    """What is wrong with it is a warning: the run and its other results do not depend on it."""

    def __init__(self, net: NetGeometry, network: ResultFile) -> None:
        self._net = net
        self._network = network

    @classmethod
    def prepare(cls, report: Report, plan: RunPlan, *, scenario: Path, space: Workspace) -> EdgeOutput | None:
        """Before the run: read the network, pack it, write the file that asks SUMO for the data. None if that failed or
        the job does not want it. `scenario` is the folder of the configuration."""
        job, config = plan.job, plan.effective
        if EDGES not in job.outputs:
            return None
        try:
            paths = [scenario / decoded(name) for name in config.files("net-file")]
            net = read_networks(paths, deadline=time.monotonic() + MAX_NETWORK_S)
            network = _packed(space.artifacts / edge_file.NETWORK_NAME, net.as_json())
            net.lines.clear()  # they are stored; the memory is the simulation's
            duration = None if config.end is None else config.end - config.begin
            period = edge_data.period_for(job.edges_interval_s, duration, len(net.ids))
            asking = edge_data.additional_file(period, emissions=job.emissions)
            (space.out / EDGES_FILE).write_text(asking, encoding="ascii")
        except TROUBLES as error:
            report.warnings.append(_warning(error))
            return None
        return cls(net, network)

    def collect(self, report: Report, space: Workspace, *, latest: float = math.inf) -> None:
        """After the run: SUMO's files become one artifact beside the network. `latest`: on `time.monotonic()`."""
        report.files.append(self._network)
        try:
            deadline = min(time.monotonic() + MAX_DATA_S, latest)
            found = edge_data.read_edge_data(space.out, self._net, deadline=deadline)
            report.files.append(_packed(space.artifacts / edge_file.NAME, found.packed()))
        except TROUBLES as error:
            report.warnings.append(_warning(error))
        for name in (edge_data.TRAFFIC, edge_data.EMISSIONS):
            (space.out / name).unlink(missing_ok=True)


def _warning(error: Exception) -> Problem:
    match error:
        case TooSlow():
            why = "reading took too long"
        case OSError():
            why = error.strerror or "a file cannot be read"
        case XmlError():
            why = f"a file {error}"
        case TooLarge():
            why = str(error)
        case _:
            why = "a file is not as SUMO writes it"
    return Problem("edges.none", f"There is no traffic per edge for the map: {why}.", edge_file.NAME)


def _packed(path: Path, content: bytes) -> ResultFile:
    """No name and no time inside: the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as packed:
        packed.write(content)
    return outputs.described(path, path.name, raw_bytes=len(content), intact=True)
