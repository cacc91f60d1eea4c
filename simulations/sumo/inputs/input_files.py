"""The input files of one configuration: found in the archive, looked into, and what they name in turn."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ..protocol.problems import InvalidScenario, Problem, ProblemList, shown
from . import input_scan
from .archive import Archive
from .cpu_budget import CpuBudget
from .input_scan import InputScan
from .scenario_paths import NearMisses, is_too_long, walk

MiB = 1024**2
# How much of an input is looked at (unpacked); what lies beyond is for SUMO's own dry run.
MAX_NET_BYTES = 32 * MiB
MAX_INPUT_BYTES = 8 * MiB
MAX_TOTAL_BYTES = 64 * MiB
MAX_POINTER_BYTES = 1024
# SUMO complains about what a route file includes and goes on, so nothing in there refuses a scenario.
INCLUDED_BY_ROUTES = "included"
DEMAND_KINDS = frozenset({"routes", "additional", INCLUDED_BY_ROUTES})
SCANNED_KINDS = DEMAND_KINDS | {"net", "state", "weights", "fcd"}


@dataclass(frozen=True)
class InputFile:
    """An input that a configuration names. `kind` is net, routes, additional, … ; `bytes` as it is in the archive."""

    path: str
    kind: str
    bytes: int


class ArchiveInputs:
    """The files of an archive as inputs; what several configurations name is looked into once."""

    def __init__(self, archive: Archive, budget: CpuBudget) -> None:
        self.archive = archive
        self.budget = budget
        self.all_looked_into = True
        self._scans: dict[tuple[str, str], InputScan] = {}
        self._left = MAX_TOTAL_BYTES

    @cached_property
    def near(self) -> NearMisses:
        return NearMisses(self.archive.files)

    def chunks(self, path: str) -> Iterator[bytes]:
        """The bytes of a file. Raises InvalidScenario if it is damaged, CheckTooLong."""
        for chunk in self.archive.chunks(path):
            self.budget.check()
            yield chunk

    def scan(self, path: str, kind: str) -> InputScan:
        """What is in the file, as far as there is time."""
        key = (path, kind)
        if key not in self._scans:
            limit = min(MAX_NET_BYTES if kind == "net" else MAX_INPUT_BYTES, self._left)
            may_look: Callable[[], bool] = self.budget.may_look
            try:
                found = input_scan.scan(self.chunks(path), path, kind, limit=limit, may_go_on=may_look)
            except InvalidScenario as error:
                found = InputScan()
                found.problems.extend(error.problems)
            self.all_looked_into = self.all_looked_into and (found.complete or may_look())
            self._left -= min(found.bytes_read, self._left)
            self._scans[key] = found
        return self._scans[key]

    def is_lfs_pointer(self, path: str) -> bool:
        if self.archive.files[path] > MAX_POINTER_BYTES:
            return False
        try:
            return b"".join(self.chunks(path)).startswith(input_scan.LFS_POINTER)
        except InvalidScenario:  # damaged, which is said where the file is read
            return False


class InputFiles:
    """What the input files of one configuration add up to."""

    def __init__(self, source: ArchiveInputs) -> None:
        self._source = source
        self.files: dict[str, InputFile] = {}
        self.scans: dict[str, InputScan] = {}
        self.problems = ProblemList()
        self.warnings = ProblemList()

    def add(self, named_in: str, written: str, kind: str) -> None:
        """One input and, if it includes others, those too."""
        waiting = [(named_in, written, kind)]
        while waiting:
            self._source.budget.check()
            named_in, written, kind = waiting.pop()
            path = self._find(named_in, written, kind)
            if path is None or path in self.scans or (path in self.files and kind not in SCANNED_KINDS):
                continue
            self.files[path] = InputFile(path, kind, self._source.archive.files[path])
            if kind in SCANNED_KINDS:
                scan = self._look_into(path, kind)
                waiting += [(path, read, _kind_of_included(kind)) for read in scan.reads]
                waiting += [(path, names, "selection") for names in scan.lists]
            elif self._source.is_lfs_pointer(path):
                self.problems.add(input_scan.lfs_problem(path))

    def counted(self, total: str, parts: tuple[str, ...]) -> dict[str, int | bool] | None:
        """The sums of `parts` over the network's files (`total` is net) or over those of the demand."""
        kinds = {"net"} if total == "net" else DEMAND_KINDS
        scans = [self.scans[path] for path in self.scans if self.files[path].kind in kinds]
        if not scans:
            return None
        counts: Counter[str] = Counter()
        for scan in scans:
            counts.update(scan.counts if total == "net" else scan.demand.counts)
        return {**{part: counts[part] for part in parts}, "complete": all(scan.complete for scan in scans)}

    def scanned(self, kind: str) -> Iterator[tuple[str, InputScan]]:
        """The files of one kind that were looked into."""
        return ((path, scan) for path, scan in self.scans.items() if self.files[path].kind == kind)

    def _find(self, named_in: str, written: str, kind: str) -> str | None:
        """The path of a file that is there; a problem is noted for one that is not."""
        source, base = self._source, posixpath.dirname(named_in)
        way = None if is_too_long(written) else walk(base, written)
        if way is None and not is_too_long(written):
            message = f"The {kind} file '{shown(written)}' lies outside the archive."
            hint = source.near.hint("", posixpath.basename(written.replace("\\", "/")))
            self._note(kind, Problem("input.outside_archive", message, named_in, hint))
        elif kind == "folder":
            return None
        elif way is None or way.path not in source.archive.files or not source.archive.folders.issuperset(way.folders):
            message = f"The {kind} file '{shown(written)}' is not in the archive."
            self._note(kind, Problem("input.missing", message, named_in, source.near.hint(base, written)))
        else:
            return way.path
        return None

    def _look_into(self, path: str, kind: str) -> InputScan:
        """Notes what is wrong with the file."""
        scan = self.scans[path] = self._source.scan(path, kind)
        for problem in scan.problems:
            self._note(kind, problem)
        self.warnings.extend(scan.warnings)
        mismatch = input_scan.kind_problem(path, kind, scan.root) if scan.root and not scan.problems else None
        if mismatch:
            self._note(kind, mismatch)
        return scan

    def _note(self, kind: str, problem: Problem) -> None:
        (self.warnings if kind == INCLUDED_BY_ROUTES else self.problems).add(problem)


def _kind_of_included(kind: str) -> str:
    return INCLUDED_BY_ROUTES if kind in ("routes", INCLUDED_BY_ROUTES) else "additional"
