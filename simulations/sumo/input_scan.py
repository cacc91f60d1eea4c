"""One pass over an input file of a scenario: what it is, how much is in it, and which other files it names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulations.sumo import config_rules, sumocfg, xmlscan
from simulations.sumo.problems import Problem

# Files that SUMO fails on if they are missing; the `file` of all other elements is written, or ignored.
READS_FILE = frozenset({"calibrator", "variableSpeedSign"})
IGNORES_FILE = frozenset({"rerouter"})
WRITES = ("file", "output", "dest")
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
    result = InputScan()
    lights: set[str] = set()
    departure = 0.0

    def counted_chunks() -> Iterable[bytes]:
        for chunk in xmlscan.gunzipped(chunks):
            result.bytes_read += len(chunk)
            yield chunk

    def on_start(name: str, attributes: dict[str, str]) -> None:
        nonlocal departure
        if not result.root:
            result.root = name
        elif name in NETWORK_PARTS:
            if not attributes.get("id", ":").startswith(":"):  # parts inside junctions
                result.counts[NETWORK_PARTS[name]] += 1
                if name == "edge":
                    result.edges.add(attributes["id"])
        elif name in COUNTED:
            result.counts[COUNTED[name]] += 1
            departure = _departure(attributes)
            if name in ("trip", "flow"):
                for edge in (attributes.get("from"), attributes.get("to")):
                    if edge:
                        result.driven[edge] = min(departure, result.driven.get(edge, departure))
        elif name == "route":
            for edge in attributes.get("edges", "").split():
                at = 0.0 if "id" in attributes else departure
                result.driven[edge] = min(at, result.driven.get(edge, at))
        elif name == "tlLogic":
            lights.add(attributes.get("id", ""))
        elif name == "include" and "href" in attributes:
            result.reads[attributes["href"]] = None
        if "file" in attributes and name in READS_FILE:
            result.reads[attributes["file"]] = None
        if name != "param":
            _look_at_outputs(result, path, name, attributes)

    try:
        result.complete = xmlscan.scan(counted_chunks(), on_start, limit=limit)
    except xmlscan.XmlError as error:
        hint = _hint(result.root)
        result.problems.append(Problem("input.bad_xml", f"'{path}' {error}.", path, hint))
    result.counts["traffic_lights"] = len(lights)
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


def _look_at_outputs(result: InputScan, path: str, element: str, attributes: dict[str, str]) -> None:
    for name in WRITES:
        value = attributes.get(name)
        if not value or (name == "file" and element in READS_FILE | IGNORES_FILE):
            continue
        if name == "dest" and element != "timedEvent":
            continue
        if problem := config_rules.output_problem(path, name, value):
            if len(result.problems) < MAX_LISTED:
                result.problems.append(problem)
        elif config_rules.is_outside(value) and len(result.warnings) < MAX_LISTED:
            message = f"<{element}> writes to '{value}', outside the scenario: a hosted run keeps no such file."
            result.warnings.append(Problem("output.outside", message, path))


def _hint(root: str) -> str | None:
    return "This is a web page, not the file itself." if root.lower() == "html" else None
