"""One pass over an input file of a scenario: what it is, how much is in it, and which other files it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulations.sumo import config_rules, sumocfg, xmlscan
from simulations.sumo.problems import Problem

# Files that SUMO fails on if they are missing; the `file` of all other elements is written, or ignored.
READS_FILE = frozenset({"calibrator", "variableSpeedSign"})
NO_OUTPUTS = frozenset((element, "file") for element in (*READS_FILE, "rerouter"))
COUNTED = {
    "vehicle": "vehicles",
    "trip": "vehicles",
    "flow": "flows",
    "person": "persons",
    "personFlow": "persons",
    "container": "persons",
    "containerFlow": "persons",
}
NETWORK_PARTS = {"edge": "edges", "lane": "lanes", "junction": "junctions"}
MAX_LISTED = 20
# Bounds on what is held in memory; a country's network has fewer edges.
MAX_NET_EDGES = 500_000
MAX_DRIVEN_EDGES = 50_000
MAX_ROUTE_LENGTH = 256 * 1024
MAX_READS = 1_000


@dataclass
class InputScan:
    """What was seen. `complete` is false where the pass stopped at its bound; `reads` are names as written.

    `edges` are a network's; `driven` has every edge that a route or trip names, with its earliest departure in seconds.
    """

    root: str = ""
    complete: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    reads: dict[str, None] = field(default_factory=dict)
    edges: set[str] = field(default_factory=set)
    driven: dict[str, float] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    bytes_read: int = 0


def scan(chunks: Iterable[bytes], path: str, *, limit: int) -> InputScan:
    """Look at up to `limit` bytes of an input, after gunzipping it if it is gzip."""
    scanner = _Scanner(path)
    result = scanner.result

    def counted_chunks() -> Iterable[bytes]:
        for chunk in xmlscan.gunzipped(chunks):
            result.bytes_read += len(chunk)
            yield chunk

    try:
        whole = xmlscan.scan(counted_chunks(), scanner.on_start, limit=limit)
        result.complete = result.complete and whole
    except xmlscan.XmlError as error:
        hint = "This is a web page, not the file itself." if result.root.lower() == "html" else None
        result.problems.append(Problem("input.bad_xml", f"'{path}' {error}.", path, hint))
    result.counts["traffic_lights"] = len(scanner.lights)
    return result


def kind_problem(path: str, kind: str, root: str) -> Problem | None:
    """Whether the file is plainly something else than what the configuration takes it for.

    SUMO hardly looks at root elements (published route files are `<add>`), so only certain mistakes count.
    """
    wrong = root != "net" if kind == "net" else root in ("net", "html") or root.lower().endswith("configuration")
    if not wrong:
        return None
    return Problem("input.wrong_kind", f"'{path}' is given as {kind}, but its root element is <{root}>.", path)


def _departure(attributes: dict[str, str]) -> float:
    """Seconds; 0 for vehicles that leave when something else happens."""
    try:
        return sumocfg.parse_time(attributes.get("depart") or attributes.get("begin") or "0")
    except ValueError:
        return 0.0


class _Scanner:
    def __init__(self, path: str) -> None:
        self.path = path
        self.result = InputScan()
        self.lights: set[str] = set()
        self._departure = 0.0

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        if not self.result.root:
            self.result.root = name
        elif name in NETWORK_PARTS:
            if not attributes.get("id", ":").startswith(":"):  # parts inside junctions
                self._network_part(name, attributes["id"])
        elif name in COUNTED:
            self._departing(name, attributes)
        elif name == "route":
            edges = attributes.get("edges", "")
            if len(edges) <= MAX_ROUTE_LENGTH:
                self._drives_over(edges.split(), 0.0 if "id" in attributes else self._departure)
        elif name == "tlLogic":
            if len(self.lights) < MAX_NET_EDGES:
                self.lights.add(attributes.get("id", ""))
        elif name == "include":
            self._reads(attributes.get("href"))
        if "file" in attributes or "output" in attributes or "dest" in attributes:
            self._names_files(name, attributes)
        elif name == "param" and attributes.get("key") in config_rules.TEXT_OUTPUTS:  # of a vehicle or its type
            self._names_files(name, {"file": attributes.get("value", "")})

    def _departing(self, name: str, attributes: dict[str, str]) -> None:
        self.result.counts[COUNTED[name]] += 1
        self._departure = _departure(attributes)
        if name in ("trip", "flow"):
            self._drives_over((attributes.get("from", ""), attributes.get("to", "")), self._departure)

    def _network_part(self, name: str, identifier: str) -> None:
        self.result.counts[NETWORK_PARTS[name]] += 1
        if name == "edge":
            if len(self.result.edges) < MAX_NET_EDGES:
                self.result.edges.add(identifier)
            else:
                self.result.complete = False

    def _drives_over(self, edges: Iterable[str], departure: float) -> None:
        driven = self.result.driven
        for edge in edges:
            if edge in driven:
                driven[edge] = min(departure, driven[edge])
            elif edge and len(driven) < MAX_DRIVEN_EDGES:
                driven[edge] = departure

    def _reads(self, file: str | None) -> None:
        if file and len(self.result.reads) < MAX_READS:
            self.result.reads[file] = None

    def _names_files(self, element: str, attributes: dict[str, str]) -> None:
        result = self.result
        if element in READS_FILE:
            self._reads(attributes.get("file"))
        for name in ("file", "output", "dest"):
            value = attributes.get(name)
            if not value or (element, name) in NO_OUTPUTS or (name == "dest" and element != "timedEvent"):
                continue
            if problem := config_rules.output_problem(self.path, name, value):
                if len(result.problems) < MAX_LISTED:
                    result.problems.append(problem)
            elif config_rules.is_outside(value) and len(result.warnings) < MAX_LISTED:
                message = f"<{element}> writes to '{value}', outside the scenario: a hosted run keeps no such file."
                result.warnings.append(Problem("output.outside", message, self.path))
            elif "\\" in value and len(result.warnings) < MAX_LISTED:
                result.warnings.append(config_rules.backslash_problem(self.path, value))
