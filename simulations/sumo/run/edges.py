"""Traffic per edge and interval, and the network to draw it on: for jobs that ask for the output `edges`."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

from simulations.sumo.inputs.net_geometry import NetGeometry, TooLarge, read_networks
from simulations.sumo.inputs.scenario_paths import decoded
from simulations.sumo.inputs.sumocfg import SumoConfig
from simulations.sumo.inputs.xmlfiles import TooSlow
from simulations.sumo.inputs.xmlscan import XmlError
from simulations.sumo.protocol import edge_file
from simulations.sumo.protocol.description import JobDescription
from simulations.sumo.protocol.problems import Problem
from simulations.sumo.results import edge_data, outputs
from simulations.sumo.results.outputs import ResultFile
from simulations.sumo.run.plan import EDGES_FILE

MAX_NETWORK_S = 30.0
MAX_DATA_S = 60.0
GZIP_LEVEL = 6


class EdgeOutput:
    """What is wrong with it is a warning: the run and its other results do not depend on it."""

    def __init__(self, net: NetGeometry, network: ResultFile) -> None:
        self._net = net
        self.network = network

    @classmethod
    def prepare(
        cls, job: JobDescription, config: SumoConfig, *, scenario: Path, out: Path, artifacts: Path
    ) -> EdgeOutput:
        """Read the network, store it as an artifact, and write the file that asks SUMO for the data to `out`.

        `scenario` is the folder of the configuration. Raises what `warning` puts into words.
        """
        paths = [scenario / decoded(name) for name in config.files("net-file")]
        net = read_networks(paths, deadline=time.monotonic() + MAX_NETWORK_S)
        network = _packed(artifacts / edge_file.NETWORK_NAME, net.as_json())
        duration = None if config.end is None else config.end - config.begin
        period = edge_data.period_for(job.edges_interval_s, duration, len(net.ids))
        (out / EDGES_FILE).write_text(edge_data.additional_file(period, emissions=job.emissions), encoding="ascii")
        return cls(net, network)

    def collect(self, out: Path, artifacts: Path) -> ResultFile:
        """SUMO's files in `out` become one artifact. Raises what `warning` puts into words."""
        try:
            found = edge_data.read_edge_data(out, self._net, deadline=time.monotonic() + MAX_DATA_S)
        finally:
            for name in (edge_data.TRAFFIC, edge_data.EMISSIONS):
                (out / name).unlink(missing_ok=True)
        return _packed(artifacts / edge_file.NAME, found.packed())


TROUBLES = (XmlError, OSError, TooSlow, TooLarge, ValueError, KeyError)


def warning(error: Exception) -> Problem:
    """For one of TROUBLES."""
    match error:
        case TooSlow():
            why = "reading took too long"
        case OSError():
            why = error.strerror or "a file cannot be read"
        case XmlError() | TooLarge():
            why = str(error)
        case _:
            why = "SUMO's file is not as expected"
    return Problem("edges.none", f"There is no traffic per edge for the map: {why}.", edge_file.NAME)


def _packed(path: Path, content: bytes) -> ResultFile:
    """No name and no time inside: the same content gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", GZIP_LEVEL, raw, mtime=0) as packed:
        packed.write(content)
    return outputs.described(path, path.name, raw_bytes=len(content), intact=True)
