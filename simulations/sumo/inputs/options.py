"""The SUMO options a tenant may set on a job, and the outputs to ask for."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..protocol.problems import MAX_LISTED, Problem, plain
from . import config_rules, option_table
from .sumocfg import OptionValue

DAY_S = 86_400.0
MAX_TEXT = 200
MAX_NAME = 50  # characters of an option's name that are worth a search for one like it


@dataclass(frozen=True)
class AllowedOption:
    """An option of the payload's `options`. Bounds are inclusive; floats that are times are in seconds."""

    type: Literal["float", "int", "bool", "choice", "names"]
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def problem(self, value: Any) -> str | None:
        """Why the value is refused, as the end of a sentence beginning with the option's name; None if it is fine."""
        if self.type == "bool":
            return None if isinstance(value, bool) else "must be true or false"
        if self.type == "choice":
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        if self.type == "names":
            well_formed = (
                isinstance(value, str)
                and len(value) <= MAX_TEXT
                and all(name.strip().isidentifier() for name in value.split(","))
            )
            return None if well_formed else "must be names with commas between them, such as 'x,y,speed'"
        kind = (int,) if self.type == "int" else (int, float)
        if not isinstance(value, kind) or isinstance(value, bool) or value != value:
            return "must be a whole number" if self.type == "int" else "must be a number"
        if self.minimum is not None and value < self.minimum:
            return f"must be at least {plain(self.minimum)}"
        if self.maximum is not None and value > self.maximum:
            return f"must be at most {plain(self.maximum)}"
        return None


@dataclass(frozen=True)
class Output:
    """A result that a job may ask for: the SUMO option that writes it and the name of the file it writes.

    The artifact is `file` with `.gz` behind it, except for files that are packed already (`.parquet`).
    """

    option: str
    file: str
    help: str

    @property
    def artifact(self) -> str:
        """The name among a job's results."""
        return self.file if self.file.endswith(".parquet") else f"{self.file}.gz"


def _probability(help: str) -> AllowedOption:
    return AllowedOption("float", help, 0, 1)


def _seconds(help: str, minimum: float, maximum: float = 7 * DAY_S) -> AllowedOption:
    return AllowedOption("float", help, minimum, maximum)


_SCALE = AllowedOption("float", "Multiply the demand by this factor.", 0, 100)
_STEP_LENGTH = AllowedOption("float", "Length of a simulation step in seconds.", 0.001, 60)
_OFF = "-1 switches it off."

ALLOWED: dict[str, AllowedOption] = {
    "scale": _SCALE,
    "step-length": _STEP_LENGTH,
    "time-to-teleport": _seconds(f"Seconds a vehicle may be stuck before it is teleported; {_OFF}", -1),
    "time-to-teleport.highways": _seconds(
        "The same on fast roads, in a lane that does not go on; 0: no difference.", -1
    ),
    "max-num-teleports": AllowedOption("int", f"Abort when more vehicles than this were teleported; {_OFF}", -1, 10**9),
    "max-depart-delay": _seconds(
        f"Seconds a vehicle waits to enter before it is dropped; {_OFF} With a scale below 1 it is not counted.",
        -1,
    ),
    "ignore-route-errors": AllowedOption("bool", "Go on although a route is not connected."),
    "collision.action": AllowedOption(
        "choice", "What happens on a collision.", choices=("none", "warn", "teleport", "remove")
    ),
    "lateral-resolution": AllowedOption("float", "Width of sublanes in metres; -1: no sublanes.", -1, 10),
    "step-method.ballistic": AllowedOption("bool", "Ballistic instead of Euler position update."),
    "mesosim": AllowedOption("bool", "Mesoscopic instead of microscopic simulation."),
    "meso-junction-control": AllowedOption("bool", "Model junctions and lights in a mesoscopic run."),
    "random-depart-offset": _seconds("Delay each departure by up to this many seconds at random.", 0, DAY_S),
    "default.speeddev": AllowedOption("float", "Deviation of drivers' speed factors; -1: as their class.", -1, 10),
    "default.action-step-length": _seconds("Seconds between two decisions of a driver; 0: every step.", 0, 60),
    "routing-algorithm": AllowedOption(
        "choice", "How routes are found.", choices=("dijkstra", "astar", "CH", "CHWrapper", "CCH")
    ),
    "device.rerouting.probability": _probability("Share of vehicles that adapt their route as they drive."),
    "device.rerouting.period": _seconds("Seconds between two route choices of such a vehicle; 0: only once.", 0),
    "device.emissions.probability": _probability("Share of vehicles whose emissions are computed."),
    "pedestrian.model": AllowedOption(
        "choice", "How pedestrians walk.", choices=("striping", "nonInteracting", "jupedsim")
    ),
    "no-internal-links": AllowedOption("bool", "Leave out the lanes inside junctions."),
    "weights.random-factor": AllowedOption("float", "Disturb routing weights by up to this factor.", 1, 1000),
    "tripinfo-output.write-unfinished": AllowedOption("bool", "Count vehicles that have not arrived at the end too."),
    "device.fcd.period": _seconds("Seconds between two records of the output 'fcd'.", 0),
    "fcd-output.geo": AllowedOption("bool", "Longitude and latitude in the output 'fcd'."),
    "fcd-output.attributes": AllowedOption("names", "The attributes that the output 'fcd' keeps."),
}

OUTPUTS: dict[str, Output] = {
    "edgedata": Output("edgedata-output", "edgedata.xml", "Traffic per edge, over the whole run."),
    "lanedata": Output("lanedata-output", "lanedata.xml", "Traffic per lane, over the whole run."),
    "vehroute": Output("vehroute-output", "vehroute.xml", "The route that each vehicle took."),
    "queue": Output("queue-output", "queue.xml", "Queues per lane and step."),
    "stops": Output("stop-output", "stops.xml", "Stops at stations, parking areas and elsewhere."),
    "collisions": Output("collision-output", "collisions.xml", "Each collision."),
    "lanechanges": Output("lanechange-output", "lanechanges.xml", "Each lane change and why."),
    "personinfo": Output("personinfo-output", "personinfo.xml", "Each person's trip."),
    "fcd": Output("fcd-output", "fcd.parquet", "Each vehicle's position and speed over time; large: set a period."),
}
# Not by an option of SUMO's: the runner asks for it and makes its files itself.
EDGES = "edges"
OWN_OUTPUTS = {EDGES: "Traffic per edge and interval, and the network, for the map; see `edges_interval_s`."}
# Options of SUMO's that a request gives otherwise.
OTHERWISE = {
    **{name: f"Give it as the job's field '{name}'." for name in ("seed", "begin", "end")},
    "random": "Each job has a seed; give your own as its field 'seed'.",
    **{output.option: f'Ask for it by "outputs": ["{name}"].' for name, output in OUTPUTS.items()},
}
# Every job has them; asking for them is no mistake.
ALWAYS_WRITTEN = frozenset({"tripinfo", "summary", "statistics"})


def check_request(
    *,
    options: Any = None,
    outputs: Any = None,
    begin: Any = None,
    end: Any = None,
    step_length: Any = None,
    scale: Any = None,
    seed: Any = None,
    edges_interval_s: Any = None,
    window_begin: Any = None,
    window_end: Any = None,
) -> list[Problem]:
    """Everything wrong with what a job asks of SUMO, without looking at the scenario; empty if it is fine. Its work and
    its length are bounded by those of the request.

    Takes raw JSON values; None is "not given". Times in seconds. Codes: option.not_allowed, option.denied,
    option.bad_value, option.conflict, output.unknown.
    """
    fields = {
        "begin": (begin, _seconds("", 0, 365 * DAY_S)),
        "end": (end, _seconds("", 0, 365 * DAY_S)),
        "step_length": (step_length, _STEP_LENGTH),
        "scale": (scale, _SCALE),
        "seed": (seed, AllowedOption("int", "", 0, 2**31 - 1)),
        "edges_interval_s": (edges_interval_s, _seconds("", 60, DAY_S)),
        "window_begin": (window_begin, _seconds("", 0, 365 * DAY_S)),
        "window_end": (window_end, _seconds("", 0, 365 * DAY_S)),
    }
    problems = [
        Problem("option.bad_value", f"'{name}' {reason}.", name)
        for name, (value, rule) in fields.items()
        if value is not None and (reason := rule.problem(value))
    ]
    pairs = (("begin", begin, "end", end), ("window_begin", window_begin, "window_end", window_end))
    for first, from_, last, to in pairs:
        if not problems and from_ is not None and to is not None and to <= from_:
            problems.append(Problem("option.bad_value", f"'{last}' must be after '{first}'.", last))
    if options is not None and not isinstance(options, Mapping):
        problems.append(Problem("option.bad_value", "'options' must be an object of names and values.", "options"))
    else:
        fields_given = {"scale": scale, "step-length": step_length}
        problems += _option_problems(options or {}, fields_given)
    if outputs is not None and not isinstance(outputs, (list, tuple)):
        problems.append(Problem("output.unknown", "'outputs' must be a list of names.", "outputs"))
    else:
        problems += _output_problems(outputs or ())
    return problems


def request_overrides(
    *,
    options: Mapping[str, OptionValue],
    outputs: Sequence[str],
    emissions: bool,
    output_dir: str,
    seed: int,
    begin: float | None = None,
    end: float | None = None,
    step_length: float | None = None,
    scale: float | None = None,
) -> dict[str, OptionValue]:
    """A checked request as overrides for `sumocfg.effective`; chosen outputs are written to `output_dir/<file>`."""
    overrides: dict[str, OptionValue] = dict(options)
    given = {"begin": begin, "end": end, "step-length": step_length, "scale": scale}
    overrides.update({name: value for name, value in given.items() if value is not None})
    overrides["seed"] = seed
    if emissions:
        overrides.setdefault("device.emissions.probability", 1)
    for name in outputs:
        if name in OUTPUTS:
            overrides[OUTPUTS[name].option] = f"{output_dir}/{OUTPUTS[name].file}"
    if "fcd" in outputs:
        overrides["output.compression"] = "zstd"  # a third smaller than Parquet's default
    return overrides


def _option_problems(options: Mapping[str, Any], fields: Mapping[str, Any]) -> Iterator[Problem]:
    for number, (name, value) in enumerate(options.items()):
        yield from _one_option_problems(name[:MAX_TEXT], value, fields, suggest=number < MAX_LISTED)


def _one_option_problems(name: str, value: Any, fields: Mapping[str, Any], *, suggest: bool) -> Iterator[Problem]:
    where = f"options.{name}"
    known = option_table.find(name)
    rule = ALLOWED.get(name)
    if rule is not None:
        if fields.get(name) is not None:
            message = f"'{name}' is given twice, as a field of the job and in 'options'."
            yield Problem("option.conflict", message, where, "Leave one out.")
        if reason := rule.problem(value):
            yield Problem("option.bad_value", f"'{name}' {reason}.", where)
    elif known is not None and known.name in config_rules.REFUSED:
        message = f"The option '{name}' is not allowed. {config_rules.REFUSED[known.name]}"
        yield Problem("option.denied", message, where)
    elif known is not None and config_rules.is_dropped(known.name):
        message = f"The option '{name}' is set by the hosted run itself."
        yield Problem("option.denied", message, where, OTHERWISE.get(known.name))
    elif known is not None and known.name in OTHERWISE:
        message = f"The option '{name}' is not given in 'options'."
        yield Problem("option.not_allowed", message, where, OTHERWISE[known.name])
    else:
        meant = known.name if known else name.lower()
        near = difflib.get_close_matches(meant, ALLOWED, 1) if suggest and len(meant) <= MAX_NAME else None
        if known:
            message, else_hint = f"The option '{name}' cannot be set on a job.", "Set it in the scenario's .sumocfg."
        else:
            message, else_hint = f"SUMO has no option '{name}'.", "/docs lists those that a job takes, at 'options'."
        yield Problem("option.not_allowed", message, where, f"Did you mean '{near[0]}'?" if near else else_hint)


def _output_problems(outputs: Sequence[Any]) -> Iterator[Problem]:
    for position, name in enumerate(outputs):
        if not isinstance(name, str) or name not in OUTPUTS.keys() | OWN_OUTPUTS.keys() | ALWAYS_WRITTEN:
            hint = f"Known are: {', '.join([*OUTPUTS, *OWN_OUTPUTS, *sorted(ALWAYS_WRITTEN)])}."
            shown = str(name)[:MAX_TEXT]
            yield Problem("output.unknown", f"There is no output '{shown}'.", f"outputs[{position}]", hint)
