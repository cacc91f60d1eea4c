"""Routes that jump: consecutive edges without a connection in the network.

SUMO notices them only when the vehicle is inserted, perhaps hours into the run, and then ends. Found here they are
warnings, because this simple look does not know vehicle classes and SUMO has options to go on.
"""

import time
from pathlib import Path

from ..protocol.problems import Problem
from .scenario_paths import decoded
from .sumocfg import SumoConfig
from .xmlfiles import TooSlow, scan_file
from .xmlscan import XmlError

MAX_S = 20.0
LISTED = 20


def check(folder: Path, config: SumoConfig) -> list[Problem]:
    """Look through the explicit routes of the route files; what was found by then after `MAX_S` or at bad XML.

    Names are relative to `folder`. A file that cannot be read is left for SUMO to complain about.
    """
    deadline = time.monotonic() + MAX_S
    connections: set[tuple[str, str]] = set()
    problems: list[Problem] = []

    def connection(name: str, attributes: dict[str, str]) -> None:
        if name == "connection":
            connections.add((attributes.get("from", ""), attributes.get("to", "")))

    try:
        for net in config.files("net-file"):
            scan_file(folder / decoded(net), connection, deadline=deadline)
        for name in config.files("route-files"):
            reader = _RouteReader(name, connections, problems)
            scan_file(folder / decoded(name), reader.start, deadline=deadline)
    except (XmlError, OSError, TooSlow):
        return problems
    return problems


class _RouteReader:
    """Reads one route file; a route inside a vehicle is called by the vehicle's id."""

    def __init__(self, file: str, connections: set[tuple[str, str]], problems: list[Problem]) -> None:
        self._file = file
        self._connections = connections
        self._problems = problems
        self._owner = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "vehicle":
            self._owner = attributes.get("id", "")
        elif name == "route" and len(self._problems) < LISTED:
            edges = attributes.get("edges", "").split()
            jump = next((pair for pair in zip(edges, edges[1:]) if pair not in self._connections), None)
            if jump:
                owner = attributes.get("id", self._owner)
                sentence = f"The route of {owner!r} goes from edge {jump[0]!r} to {jump[1]!r} without a connection."
                self._problems.append(Problem("route.disconnected", sentence, self._file))
