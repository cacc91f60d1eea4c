"""One pass over an input file of a scenario: what it is, how much is in it, and which other files it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ..protocol.problems import Problem, ProblemList, shown
from . import xmlscan
from .demand import KINDS, Demand, DemandReader
from .output_rules import WRITERS, ElementReader, Written

# Elements of additional files whose `file` SUMO fails on if it is missing.
READS_FILE = frozenset({"calibrator", "variableSpeedSign"})
READS_LIST = frozenset({"edgeData", "laneData"})  # as `edgesFile`
NETWORK_PARTS = {"edge": "edges", "lane": "lanes", "junction": "junctions"}
MAX_LISTED = 20
# Bounds on what is held in memory; a country's network has fewer edges.
MAX_NET_EDGES = 500_000
MAX_READS = 1_000
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
# SUMO takes them for numbers and carries them into its results.
_NOT_FINITE = re.compile(r"(?:^|[(,])\s*[+-]?(?:nan|inf|infinity)\s*(?:$|[),])", re.IGNORECASE)
_SUSPICIOUS = re.compile(rb"""["'(,][ \t]*[+-]?(?:nan|inf)""", re.IGNORECASE)
_LONGEST_SUSPICION = 16
_NAMES = frozenset(
    {"id", "type", "edge", "edges", "lane", "lanes", "route", "from", "to", "via", "line", "lines", "name"}
)


@dataclass
class InputScan:
    """What was seen. `complete` is false where the pass stopped at its bound; `reads` are names as written, `lists`
    those of files of names, one a line.

    `edges` are a network's. `discards`: vehicles may be thinned out by a type's scale or not placed by a calibrator.
    `written` are outputs, not yet judged: that needs the configuration's place.
    """

    root: str = ""
    complete: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    reads: dict[str, None] = field(default_factory=dict)
    lists: dict[str, None] = field(default_factory=dict)
    written: dict[Written, None] = field(default_factory=dict)
    edges: set[str] = field(default_factory=set)
    discards: bool = False
    demand: Demand = field(default_factory=Demand)
    problems: ProblemList = field(default_factory=lambda: ProblemList(MAX_LISTED))
    warnings: ProblemList = field(default_factory=lambda: ProblemList(MAX_LISTED))
    bytes_read: int = 0


class _NoTime(Exception):
    pass


def scan(
    chunks: Iterable[bytes], path: str, kind: str, *, limit: int, may_go_on: Callable[[], bool] = lambda: True
) -> InputScan:
    """Look at up to `limit` bytes of a net, routes or additional file, after gunzipping it if it is gzip.

    Stops, as at the limit, when `may_go_on` says no; it is asked now and then.
    """
    scanner = _Scanner(path, kind)
    result = scanner.result
    head = b""

    def counted_chunks() -> Iterable[bytes]:
        nonlocal head
        end, found = b"", False
        for chunk in xmlscan.gunzipped(chunks):
            if not may_go_on():
                raise _NoTime
            head = head or chunk[: len(LFS_POINTER)]
            result.bytes_read += len(chunk)
            before, found = found, bool(_SUSPICIOUS.search(end + chunk))
            scanner.is_suspicious = before or found  # a tag may begin in the chunk before
            end = chunk[-_LONGEST_SUSPICION:]
            yield chunk

    try:
        whole = xmlscan.scan(counted_chunks(), scanner.on_start, limit=limit)
        result.complete = result.complete and whole
    except _NoTime:
        result.complete = False
    except xmlscan.XmlError as error:
        if head == LFS_POINTER:
            result.problems.add(lfs_problem(path))
        else:
            hint = "This is a web page, not the file itself." if result.root.lower() == "html" else None
            result.problems.add(Problem("input.bad_xml", f"'{path}' {error}.", path, hint))
    result.counts["traffic_lights"] = len(scanner.lights)
    result.demand.complete = result.complete
    return result


def lfs_problem(path: str) -> Problem:
    """A file that Git LFS keeps elsewhere."""
    message = f"'{path}' is only a pointer of Git LFS, not the file itself."
    return Problem("input.git_lfs", message, path, "Run 'git lfs pull' and make the zip again.")


def kind_problem(path: str, kind: str, root: str) -> Problem | None:
    """Whether the file is plainly something else than what the configuration takes it for.

    SUMO hardly looks at root elements (published route files are `<add>`), so only certain mistakes count.
    """
    wrong = root != "net" if kind == "net" else root in ("net", "html") or root.lower().endswith("configuration")
    if not wrong:
        return None
    return Problem("input.wrong_kind", f"'{path}' is given as {kind}, but its root element is <{shown(root)}>.", path)


class _Scanner:
    """Looks at each element. Most elements of a network are of no interest and must cost little."""

    def __init__(self, path: str, kind: str) -> None:
        self.path = path
        self.result = InputScan()
        self.lights: set[str] = set()
        self.is_suspicious = False
        self._outputs = ElementReader(kind)
        self._demand = DemandReader(in_slices=kind == "routes")
        self.result.demand = self._demand.demand
        self._handlers: dict[str, Callable[[str, dict[str, str]], None]] = {
            **dict.fromkeys(NETWORK_PARTS, self._network_part),
            **dict.fromkeys((*WRITERS, *READS_FILE, "vType", "param"), self._names_files),
            **dict.fromkeys(KINDS, self._departing),
            **dict.fromkeys(("walk", "personTrip"), lambda _, attributes: self._demand.leg(attributes)),
            "route": lambda _, attributes: self._demand.route(attributes),
            "tlLogic": self._light,
            "include": lambda _, attributes: self._reads(attributes.get("href"), self.result.reads),
        }

    def on_start(self, name: str, attributes: dict[str, str]) -> None:
        self.result.root = self.result.root or name
        if handler := self._handlers.get(name):  # SUMO takes the root too for what it says
            handler(name, attributes)
        if self.is_suspicious:
            self._not_finite(name, attributes)

    def _departing(self, name: str, attributes: dict[str, str]) -> None:
        self._demand.departing(name, attributes)
        self._names_files(name, attributes)

    def _network_part(self, name: str, attributes: dict[str, str]) -> None:
        identifier = attributes.get("id", ":")
        if identifier.startswith(":"):  # parts inside junctions
            return
        self.result.counts[NETWORK_PARTS[name]] += 1
        if name == "edge":
            if len(self.result.edges) < MAX_NET_EDGES:
                self.result.edges.add(identifier)
            else:
                self.result.complete = False

    def _light(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.lights) < MAX_NET_EDGES:
            self.lights.add(attributes.get("id", ""))
        self._names_files(name, attributes)

    def _reads(self, file: str | None, into: dict[str, None]) -> None:
        if file and len(into) < MAX_READS:
            into[file] = None

    def _names_files(self, element: str, attributes: dict[str, str]) -> None:
        if element == "calibrator" or (element == "vType" and "scale" in attributes):
            self.result.discards = True
        if element in READS_FILE:
            self._reads(attributes.get("file"), self.result.reads)
        elif element in READS_LIST:
            self._reads(attributes.get("edgesFile"), self.result.lists)
        if written := self._outputs.start(element, attributes):
            self.result.written[written] = None

    def _not_finite(self, element: str, attributes: Mapping[str, str]) -> None:
        for name, value in attributes.items():
            if name not in _NAMES and _NOT_FINITE.search(value):
                message = (
                    f"<{shown(element)} id='{shown(attributes.get('id', ''))}'> has {shown(name)}=\"{shown(value)}\", "
                    "which is no finite number: results may become meaningless."
                )
                self.result.warnings.add(Problem("input.not_finite", message, self.path))
