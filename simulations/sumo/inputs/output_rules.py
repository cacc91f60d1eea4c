"""Which files SUMO would write, and one rule for all of them: an output stays inside the scenario or is refused.

A hosted run keeps what lies in the scenario's folder and can write nowhere else. Some places that name an output are
read only when it is first written, perhaps hours into a run, so all of them are judged before.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ..protocol.problems import Problem, shown
from . import config_rules
from .scenario_paths import decoded, is_outside, is_too_long, walk

STREAMS = frozenset({"stdout", "STDOUT", "stderr", "STDERR", "-"})
NULL_DEVICES = frozenset({"NUL", "nul", "/dev/null"})
LISTS = frozenset({"save-state.files"})  # a comma in any other output is part of its name
# Elements of additional files or networks and the attribute that names what they write; SUMO ignores them in others.
WRITERS = {
    **dict.fromkeys(("edgeData", "laneData", "routeProbe", "vTypeProbe", "vtypeProbe"), "file"),
    **dict.fromkeys(("e1Detector", "inductionLoop", "instantInductionLoop"), "file"),
    **dict.fromkeys(("e2Detector", "laneAreaDetector", "e3Detector", "entryExitDetector"), "file"),
    "timedEvent": "dest",
    "calibrator": "output",
}
# Traffic lights that write their detectors' measurements to a parameter's file.
WRITING_LIGHTS = frozenset({"actuated", "delay_based", "NEMA"})
# Whose devices name their files by the vehicle's id, unless a parameter or an option names another.
VEHICLES = frozenset({"vehicle", "trip", "flow"})


@dataclass(frozen=True)
class Written:
    """The name of an output as an input has it. `by` is what names it, for a sentence."""

    by: str
    value: str
    from_config: bool = False  # relative to the configuration's folder instead of the naming file's


@dataclass(frozen=True)
class NamedOutput:
    """A file that SUMO would write. Paths are relative to the scenario's root.

    `path` is None where nothing is written inside: the null device, or what `problem` says. `folders` must exist for
    SUMO to write it (it makes none), outermost first.
    """

    where: str
    by: str
    value: str
    path: str | None = None
    folders: tuple[str, ...] = ()
    problem: Problem | None = None


class ElementReader:
    """Tells what the elements of one input file write. `kind` is net, routes, additional, …"""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._light_writes = False

    def start(self, element: str, attributes: Mapping[str, str]) -> Written | None:
        """To be called with every element that may be of interest, in the order of the file."""
        if element == "param":
            return self._param(attributes.get("key", ""), attributes.get("value", ""))
        self._light_writes = element == "tlLogic" and attributes.get("type") in WRITING_LIGHTS
        if element in VEHICLES and "/../" in attributes.get("id", ""):
            return Written(f"A device of a <{element}>", f"../{attributes['id']}", from_config=True)
        value = attributes.get(WRITERS.get(element, ""))
        if value and self._kind in ("additional", "net"):
            return Written(f"<{element}>", value, from_config=element == "calibrator")
        return None

    def _param(self, key: str, value: str) -> Written | None:
        of_vehicle = key in config_rules.TEXT_OUTPUTS
        if value and (of_vehicle or (key == "file" and self._light_writes and self._kind != "routes")):
            return Written(f"The parameter '{key}'", value)
        return None


def option_outputs(options: Mapping[str, str], config_path: str) -> Iterator[NamedOutput]:
    """What a configuration's own options write, besides what a hosted run drops or takes over."""
    for name, value in options.items():
        if config_rules.is_output(name):
            for file in value.split(",") if name in LISTS else (value,):
                yield locate(Written(f"The option '{name}'", decoded(file.strip())), config_path, config_path)


def locate(written: Written, where: str, config_path: str) -> NamedOutput:
    """Where the output goes that the file `where` names, and whether a hosted run refuses it."""
    value = written.value
    if value in NULL_DEVICES:
        return NamedOutput(where, written.by, value)
    if problem := _refused_name(written, where, in_config=where == config_path):
        return NamedOutput(where, written.by, value, problem=problem)
    way = walk(posixpath.dirname(config_path if written.from_config else where), value)
    if way is None:
        message = f"{_says(written)}, outside the scenario, where a hosted run can write nothing."
        hint = "Name a file below the scenario's folder, such as 'results/out.xml'."
        return NamedOutput(where, written.by, value, problem=Problem("output.outside", message, where, hint))
    return NamedOutput(where, written.by, value, way.path, way.folders)


def clash(
    output: NamedOutput, *, inputs: Collection[str], files: Collection[str], folders: Collection[str]
) -> Problem | None:
    """Why an output cannot lie there, beside the `files` and `folders` of the archive; `inputs` are what is read."""
    if output.path is None:
        return None
    if output.path in inputs:
        message = f"{output.by} writes to '{shown(output.value)}', which the run reads: it would be overwritten."
        return Problem("output.overwrites_input", message, output.where, "Give the output another name.")
    if output.path in folders or any(folder in files for folder in output.folders):
        message = f"{output.by} writes to '{shown(output.value)}', where the archive has a folder or a file already."
        return Problem("output.is_folder", message, output.where, "Give the output another name.")
    return None


def name_warning(output: NamedOutput) -> Problem | None:
    """Outside Windows a backslash is part of the file's name, which then cannot be stored."""
    if output.path is None or "\\" not in output.value:
        return None
    message = f"The output '{shown(output.value)}' has a backslash in its name and will not be kept."
    return Problem("output.name", message, output.where, "Write '/' instead of '\\'.")


def _refused_name(written: Written, where: str, *, in_config: bool) -> Problem | None:
    """What is wrong with the name itself, wherever it leads."""
    value = written.value
    if "${" in value:
        message = f"{_says(written)}: environment variables are not filled in on a hosted run."
        return Problem("option.env_expansion", message, where, "Write the name out.")
    if value in STREAMS:
        return Problem("option.denied", f"{_says(written)}, but a hosted run keeps files only.", where, "Name a file.")
    # SUMO looks for the colon in the whole path, which begins with the folder of the naming file.
    if (":" in value and not is_outside(value)) or (":" in posixpath.dirname(where) and not in_config):
        message = f"{_says(written)}, which SUMO takes for a network address."
        return Problem("option.socket_output", message, where, "Name a file, without a colon.")
    if is_too_long(value):
        return Problem("output.bad_name", f"{_says(written)}, which is too long for the name of a file.", where)
    if value.rpartition("/")[2] in ("", ".", ".."):
        return Problem("output.is_folder", f"{_says(written)}, which is not the name of a file.", where, "Name a file.")
    return None


def _says(written: Written) -> str:
    return f"{written.by} writes to '{shown(written.value)}'"
