"""What a hosted run does with the options of a configuration: keeps, drops, takes over or refuses them.

The boundary of a run is its sandbox; these rules tell people early what cannot work there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..protocol.problems import Problem, shown
from . import option_table

# What the run sets itself, or what would change the form of the outputs that it reads. Dropped without harm.
TAKEN_OVER = frozenset(
    {"log", "message-log", "error-log", "log.timestamps", "log.processid"}
    | {"output-prefix", "output-suffix", "output.format", "output.compression", "human-readable-time"}
    | {"output.column-header", "output.column-separator", "summary-output", "summary-output.period"}
    | {
        "statistic-output",
        "tripinfo-output",
        "verbose",
        "print-options",
        "help",
        "version",
        "no-step-log",
        "step-log.period",
    }
    | {"duration-log.disable", "duration-log.statistics", "language", "threads", "random", "seed", "num-clients"}
    | {"save-configuration.relative", "save-commented"}
)
REFUSED = {
    "remote-port": "A hosted run has no TraCI client: SUMO would wait for one for ever.",
    "configuration-file": "A configuration cannot load another one.",
    "save-configuration": "SUMO would write a file and not simulate.",
    "save-template": "SUMO would write a file and not simulate.",
    "save-schema": "SUMO would write a file and not simulate.",
}
# Options that name files to read, and what is in them.
INPUTS = {
    "net-file": "net",
    "additional-files": "additional",
    "route-files": "routes",
    "weight-files": "weights",
    "load-state": "state",
    "fcd-output.filter-edges.input-file": "selection",
    "device.ssm.filter-edges.input-file": "selection",
    "astar.all-distances": "distances",
    "astar.landmark-distances": "distances",
    "device.fcd-replay.files": "fcd",
    "phemlight-path": "folder",
}
# How strictly XML is checked. `local` is SUMO's default; what is stricter fetches schemas and DTDs from wherever a file
# says, over the network.
VALIDATIONS = frozenset({"xml-validation", "xml-validation.net", "xml-validation.routes"})
# Outputs that SUMO declares as plain text; the others are all FILE options that are no input.
TEXT_OUTPUTS = frozenset({"device.ssm.file", "device.toc.file"})
# Options of builds of SUMO with more of a GUI than the one that runs here, which would not start with them.
OTHER_GUIS = frozenset({"osg-view"})
# Beyond this many names a list of files is no list of files of an archive.
MAX_FILES_NAMED = 5_000
# SUMO divides by zero below and overruns its memory above.
PRECISION = range(1_000_001)


def is_dropped(name: str) -> bool:
    """Whether a hosted run leaves the option out: taken over, for the GUI only (a missing file in a GUI option fails a
    headless run all the same), or refused (a `remote-port` of 0 is no port)."""
    option = option_table.find(name)
    return name in TAKEN_OVER or name in REFUSED or (option is not None and option.topic == "gui_only")


def kept_value(name: str, value: str) -> str:
    """The value with which a hosted run keeps the option."""
    return "local" if name in VALIDATIONS and value != "never" else value


def is_output(name: str) -> bool:
    """Whether the option names a file to write."""
    if name in TEXT_OUTPUTS:
        return True
    option = option_table.find(name)
    return option is not None and option.type == "FILE" and name not in INPUTS and not is_dropped(name)


def problems(options: Mapping[str, str], where: str) -> Iterator[Problem]:
    """What a hosted run refuses in a configuration's options (canonical names), besides its input files."""
    for name, value in options.items():
        if name in REFUSED:
            if (name, value.strip()) != ("remote-port", "0"):
                message = f"The option '{name}' is not allowed. {REFUSED[name]}"
                yield Problem("option.denied", message, where, f"Take '{name}' out of the configuration.")
        elif is_dropped(name) or is_output(name):
            continue  # what is written, `inputs.output_rules` judges
        elif "${" in value:
            message = f"'{name}' is '{shown(value)}': environment variables are not filled in on a hosted run."
            yield Problem("option.env_expansion", message, where, "Write the value out.")
        if name in INPUTS and value.count(",") >= MAX_FILES_NAMED:
            yield Problem("option.too_many_files", f"'{name}' names more than {MAX_FILES_NAMED} files.", where)
    precision = int(options.get("precision", "2"))
    if precision not in PRECISION:
        message = f"'precision' is {precision}: SUMO crashes with it. Decimals are a number from 0 on."
        yield Problem("option.bad_value", message, where)
    times, files = options.get("save-state.times"), options.get("save-state.files")
    if files is not None and files.count(",") != (times.count(",") if times else -1):
        message = "'save-state.files' must name as many files as 'save-state.times' has times."
        yield Problem("option.bad_value", message, where)
    if found := {"/", ":"}.intersection(options.get("save-state.suffix", "")):
        message = f"'save-state.suffix' has '{min(found)}': it is the end of a file's name, and of nothing else."
        yield Problem("option.bad_value", message, where)
    if "net-file" not in options:
        yield Problem("config.no_network", "The configuration names no network (net-file).", where)
