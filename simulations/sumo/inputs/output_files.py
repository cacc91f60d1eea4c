"""Every output that an unpacked scenario names, wherever it names it, so that their folders can be made."""

from __future__ import annotations

import posixpath
from collections import deque
from pathlib import Path

from .output_rules import VEHICLES, WRITERS, ElementReader, NamedOutput, Written, locate, option_outputs
from .scenario_paths import decoded, walk
from .sumocfg import SumoConfig
from .xmlfiles import TooSlow, scan_file
from .xmlscan import XmlError

# A network rarely names an output and is large, so it comes last.
OPTIONS = {"additional-files": "additional", "route-files": "routes", "load-state": "state", "net-file": "net"}
OF_INTEREST = frozenset({*WRITERS, *VEHICLES, "param", "tlLogic", "vType", "include"})


def named_outputs(root: Path, config_path: str, config: SumoConfig, *, deadline: float) -> list[NamedOutput]:
    """What the scenario unpacked in `root` writes, `config_path` being relative to it.

    Reads the input files until `deadline` (`time.monotonic()`), then gives what was found. A file that cannot be read
    is left for SUMO to complain about.
    """
    outputs = list(option_outputs(config.options, config_path))
    waiting = deque(
        (config_path, decoded(written), kind) for option, kind in OPTIONS.items() for written in config.files(option)
    )
    seen: set[tuple[str, str]] = set()  # a route file may be named as the network too, where it says more
    while waiting:
        named_in, written, kind = waiting.popleft()
        way = walk(posixpath.dirname(named_in), written)
        if way is None or (way.path, kind) in seen:
            continue
        seen.add((way.path, kind))
        reader = _FileReader(kind)
        try:
            scan_file(root / way.path, reader.start, deadline=deadline)
        except (XmlError, OSError):
            pass
        except TooSlow:
            waiting.clear()
        outputs += [locate(each, way.path, config_path) for each in reader.written]
        waiting += [(way.path, included, kind) for included in reader.included]
    return outputs


class _FileReader:
    """What one file writes and which others it includes."""

    def __init__(self, kind: str) -> None:
        self._outputs = ElementReader(kind)
        self.written: dict[Written, None] = {}
        self.included: dict[str, None] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in OF_INTEREST:
            if name == "include" and "href" in attributes:
                self.included[attributes["href"]] = None
            if written := self._outputs.start(name, attributes):
                self.written[written] = None
