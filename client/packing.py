"""A folder as a scenario: its configuration, what that names, what those files name in turn, and nothing else."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, cast
from xml.parsers import expat

from .errors import ApiProblem

CONFIG_SUFFIXES = (".sumocfg", ".sumo.cfg")
RARE_CONFIG_SUFFIXES = (".cfg", ".sumocfg.xml", ".sumo.xml", "sumocfg.txt")  # where there is none of the others
# Options of a .sumocfg whose values are files that SUMO reads: these, and every `…-file` and `…-files` but the last
# two. Others name files too (outputs, logs), which a run on the service writes itself or has no use for.
INPUTS = frozenset({
    "net", "n", "routes", "r", "additional", "a", "load-state", "astar.all-distances", "astar.landmark-distances",
})  # fmt: skip
NOT_INPUTS = frozenset({"gui-settings-file", "configuration-file"})
# In additional files these write to what their `file` names; on other elements it is read.
WRITERS = frozenset({
    "e1Detector", "inductionLoop", "instantInductionLoop", "e2Detector", "laneAreaDetector", "e3Detector",
    "entryExitDetector", "edgeData", "meandata", "laneData", "routeProbe", "timedEvent", "vTypeProbe",
})  # fmt: skip
NAMING = ("file", "href", "routeFile", "objFile")
FIXED_TIME = (2020, 1, 1, 0, 0, 0)  # the same folder makes the same bytes, so that the service knows them again


@dataclass
class Packing:
    """What of a folder makes up a scenario; paths are relative to it, with `/`."""

    config: str
    files: list[str]
    left_out: list[str] = field(default_factory=list)
    missing: list[dict[str, str]] = field(default_factory=list)


def packed_for(folder: Path, config: str | None = None) -> Packing:
    """What `config`, or the folder's only configuration, needs. Raises ApiProblem with everything that is missing."""
    packing = survey(folder, config)
    if packing.missing:
        raise ApiProblem("The scenario is not complete.", code="packing.missing", details=packing.missing)
    return packing


def survey(folder: Path, config: str | None = None) -> Packing:
    """The same of a folder that may lack some of it."""
    every = files_of(folder)
    chosen = _chosen(folder, every, config)
    found: set[str] = {chosen}
    missing: list[dict[str, str]] = []
    waiting = [(chosen, name, f"option {option}") for option, name in _options(folder / chosen)]
    while waiting:
        source, name, by = waiting.pop()
        path = _resolved(source, name)
        if path is None:
            missing.append({"where": source, "message": f"{name} ({by}) lies outside of {folder}."})
        elif not (folder / path).is_file():
            near = [other for other in every if other.lower() == path.lower()]
            found.update(near)  # needed, under another name: the rules tell how to write it
            also = f"; there is {near[0]}: upper and lower case must match" if near else ""
            missing.append({"where": source, "message": f"{name} ({by}) is not there{also}."})
        elif path not in found:
            found.add(path)
            if not path.endswith((".net.xml", ".net.xml.gz")):
                waiting += [(path, inner, f"in <{element}>") for element, inner in _named(folder / path)]
    left_out = [path for path in every if path not in found and not is_hidden(path)]
    return Packing(chosen, sorted(found), left_out, missing)


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def is_hidden(path: str) -> bool:
    """As `.git/config` is."""
    return any(part.startswith(".") for part in path.split("/"))


def pack(folder: Path, files: list[str], to: Path) -> Path:
    """Those files as a zip at `to`, the same bytes for the same content."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as packed:
        for name in files:
            member = zipfile.ZipInfo(name, FIXED_TIME)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            with (folder / name).open("rb") as source, packed.open(member, "w", force_zip64=True) as target:
                while chunk := source.read(1024**2):
                    target.write(chunk)
    return to


def _chosen(folder: Path, every: list[str], config: str | None) -> str:
    if config is not None:
        wanted = PurePosixPath(config.replace("\\", "/")).as_posix()
        if wanted not in every:
            raise ApiProblem(f"{folder} has no file {config}.", code="packing.config")
        return wanted
    configs = _configs(every, CONFIG_SUFFIXES) or _configs(every, RARE_CONFIG_SUFFIXES)
    if not configs:
        raise ApiProblem(f"{folder} holds no SUMO configuration (*.sumocfg).", code="packing.config")
    lowest = min(path.count("/") for path in configs)
    shallow = [path for path in configs if path.count("/") == lowest]
    if len(shallow) > 1:
        names = ", ".join(shallow)
        raise ApiProblem(
            f"{folder} holds several configurations: {names}. Name one with --config.", code="packing.config"
        )
    return shallow[0]


def _configs(every: list[str], suffixes: tuple[str, ...]) -> list[str]:
    return [path for path in every if path.lower().endswith(suffixes) and not is_hidden(path)]


def _options(path: Path) -> Iterator[tuple[str, str]]:
    """(option, file) for each file that a configuration has SUMO read."""
    for name, attributes in _elements(path):
        value = attributes.get("value", attributes.get("v", ""))
        if name in NOT_INPUTS or not (name.endswith(("-file", "-files")) or name in INPUTS):
            continue
        for each in value.replace(";", ",").split(","):
            if each.strip():
                yield name, each.strip()


def _named(path: Path) -> Iterator[tuple[str, str]]:
    """(element, file) for each file that an input names to be read."""
    if not path.name.endswith((".xml", ".xml.gz")):
        return
    for name, attributes in _elements(path, keep=set(NAMING)):
        if name in WRITERS:
            continue
        for attribute in NAMING:
            value = attributes.get(attribute, "").strip()
            if value and value.upper() not in {"NULL", "STDOUT", "-"}:
                yield name, value


def _resolved(source: str, name: str) -> str | None:
    """`name` as `source` means it, relative to the folder; None if it lies outside."""
    parts: list[str] = []
    if name.startswith(("/", "~")) or ":" in name:
        return None
    for part in [*PurePosixPath(source).parent.parts, *name.replace("\\", "/").split("/")]:
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)


def _elements(path: Path, keep: set[str] | None = None) -> Iterator[tuple[str, dict[str, str]]]:
    """Each element's name and attributes, a piece of the file at a time; of `keep` one at least, if given."""
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if keep is None or not keep.isdisjoint(attributes):
            found.append((name, attributes))

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    opener = gzip.open if path.name.endswith(".gz") else open
    try:
        with cast("IO[bytes]", opener(path, "rb")) as file:
            while chunk := file.read(1024**2):
                parser.Parse(chunk)
                yield from found
                found.clear()
            parser.Parse(b"", True)
    except (expat.ExpatError, OSError, EOFError, zlib.error) as error:
        raise ApiProblem(f"{path} cannot be read as XML: {error}", code="packing.xml") from None
