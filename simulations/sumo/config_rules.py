"""What a hosted run does with the options of a configuration: keeps, drops, takes over or refuses them.

The boundary of a run is its sandbox; these rules tell people early what cannot work there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulations.sumo import option_table
from simulations.sumo.problems import Problem

# What the run sets itself, or what would change the form of the outputs that it reads. Dropped without harm.
TAKEN_OVER = frozenset(
    {"log", "message-log", "error-log", "log.timestamps", "log.processid"}
    | {"output-prefix", "output-suffix", "output.format", "output.compression", "human-readable-time"}
    | {"output.column-header", "output.column-separator", "summary-output", "summary-output.period"}
    | {"statistic-output", "verbose", "print-options", "help", "version", "no-step-log", "step-log.period"}
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
# Outputs that SUMO declares as plain text; the others are all FILE options that are no input.
TEXT_OUTPUTS = frozenset({"device.ssm.file", "device.toc.file"})
STREAMS = frozenset({"stdout", "stderr", "-"})


def is_dropped(name: str) -> bool:
    """Whether a hosted run leaves the option out: taken over, for the GUI only (a missing file in a GUI option fails a
    headless run all the same), or refused (a `remote-port` of 0 is no port)."""
    option = option_table.find(name)
    return name in TAKEN_OVER or name in REFUSED or (option is not None and option.topic == "gui_only")


def is_output(name: str) -> bool:
    """Whether the option names a file to write."""
    if name in TEXT_OUTPUTS:
        return True
    option = option_table.find(name)
    return option is not None and option.type == "FILE" and name not in INPUTS and not is_dropped(name)


def output_problem(where: str, name: str, value: str) -> Problem | None:
    """Why a hosted run refuses this value of an output (`name`: the option or attribute it was given in)."""
    if "${" in value:
        message = f"'{name}' is '{value}': environment variables are not filled in on a hosted run."
        return Problem("option.env_expansion", message, where, "Write the name out.")
    if value.find(":") > 1:  # SUMO's test for host:port; one letter is a Windows drive
        message = f"'{name}' is '{value}', which SUMO takes for a network address."
        return Problem("option.socket_output", message, where, "Name a file, without a colon.")
    if value in STREAMS:
        message = f"'{name}' is '{value}', but a hosted run keeps files only."
        return Problem("option.denied", message, where, "Name a file.")
    return None


def backslash_problem(where: str, value: str) -> Problem:
    """Outside Windows a backslash is part of the file's name, which then cannot be stored."""
    message = f"The output '{value}' has a backslash in its name and will not be kept."
    return Problem("output.name", message, where, "Write '/' instead of '\\'.")


def is_outside(value: str) -> bool:
    """Whether a file name is absolute, on Linux or on Windows."""
    return value.startswith(("/", "\\")) or value[1:2] == ":" or "://" in value


def problems(options: Mapping[str, str], where: str) -> Iterator[Problem]:
    """What a hosted run refuses in a configuration's options (canonical names), besides its input files."""
    for name, value in options.items():
        if name in REFUSED:
            if (name, value.strip()) != ("remote-port", "0"):
                message = f"The option '{name}' is not allowed. {REFUSED[name]}"
                yield Problem("option.denied", message, where, f"Take '{name}' out of the configuration.")
        elif is_dropped(name):
            continue
        elif is_output(name):
            for file in value.split(","):
                if problem := output_problem(where, name, file.strip()):
                    yield problem
        elif "${" in value:
            message = f"'{name}' is '{value}': environment variables are not filled in on a hosted run."
            yield Problem("option.env_expansion", message, where, "Write the value out.")
    if "net-file" not in options:
        yield Problem("config.no_network", "The configuration names no network (net-file).", where)
