"""What a job was asked for, in words and units, for the pages that show one job."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from simulations.templatetags.figures import duration, number, words

Text = Callable[[Any], str]


def _seconds(value: Any) -> str:
    return f"{number(value)} s"


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_plain(each)}" for name, each in value.items())
    return ", ".join(map(str, value))


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _listed(value) if isinstance(value, list | dict) else str(value)


# In the order in which they are shown; as the forms call them.
FIELDS: dict[str, tuple[str, Text]] = {
    "scenario_id": ("Scenario", _plain),
    "scenario_version": ("Version", _plain),
    "config": ("Configuration", _plain),
    "begin": ("Begin", _seconds),
    "end": ("End", _seconds),
    "step_length": ("Step", _seconds),
    "scale": ("Demand factor", number),
    "seed": ("Seed", _plain),
    "time_limit_s": ("Time limit", duration),
    "priority_class": ("Priority class", _plain),
    "priority": ("Priority in the class", _plain),
    "window_begin": ("Figures of trips from", _seconds),
    "window_end": ("Figures of trips before", _seconds),
    "emissions": ("Emissions", lambda _: "computed"),
    "outputs": ("More outputs", _listed),
    "edges_interval_s": ("Interval of the traffic per edge", _seconds),
    "options": ("SUMO options", _listed),
    "sha256": ("SHA-256 of the scenario", _plain),
}
NOTHING: tuple[Any, ...] = (None, "", {}, [])


def request_facts(asked: Mapping[str, Any], apart: Collection[str]) -> list[tuple[str, str]]:
    """(name, value) of all that was given but what is shown `apart`."""
    given = {
        name: value
        for name, value in asked.items()
        if name not in apart and value is not False and value not in NOTHING
    }
    known = [(label, text(given.pop(name))) for name, (label, text) in FIELDS.items() if name in given]
    return known + [(words(name), _plain(value)) for name, value in sorted(given.items())]
