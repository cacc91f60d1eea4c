"""SUMO configuration files: read as SUMO reads them, and the derived configuration that a hosted run uses."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Union
from xml.sax.saxutils import quoteattr

from ..protocol.problems import InvalidScenario, Problem, ProblemList, shown
from . import config_rules, option_table, xmlscan

MAX_CONFIG_BYTES = 1024**2
MAX_LISTED = 20
MAX_HINTS = 3
MAX_HINT_CHARS = 50
GUI_SECTION = "gui_only"

MAX_TIME_S = 9.2e15  # SUMO counts milliseconds in 64 bits

TRUE = ("1", "yes", "true", "on", "x", "t")
FALSE = ("0", "no", "false", "off", "-", "f")
OptionValue = Union[str, int, float, bool]


@dataclass(frozen=True)
class SumoConfig:
    """The options of one `.sumocfg`, by canonical long name, in the order of the file; empty values are left out.

    `left_out` are options that only another build's GUI knows: this SUMO would not start with them.
    """

    options: Mapping[str, str]
    left_out: tuple[str, ...] = ()

    def files(self, name: str) -> list[str]:
        """The file names in a FILE option such as `route-files`; commas separate, spaces may be part of a name."""
        value = self.options.get(name)
        return [] if value is None else [part.strip() for part in value.split(",")]

    @property
    def begin(self) -> float:
        """Seconds; SUMO's default is 0."""
        return parse_time(self.options.get("begin", "0"))

    @property
    def end(self) -> float | None:
        """Seconds, or None if the run ends when all vehicles have left."""
        end = parse_time(self.options.get("end", "-1"))
        return None if end < 0 else end

    @property
    def seed(self) -> int | None:
        """The configuration's own, if it is one that a job may have."""
        text = self.options.get("seed", "").strip()
        return int(text) if text.isascii() and text.isdigit() and int(text) < 2**31 else None

    @property
    def step_length(self) -> float:
        """Seconds; SUMO's default is 1."""
        return parse_time(self.options.get("step-length", "1"))


def read(source: bytes | Path, name: str | None = None) -> SumoConfig:
    """Read a configuration; `name` is what problems call it.

    As SUMO does: options may stand in any section or none, under any of their names, with `value=`, `v=` or as text.
    Raises InvalidScenario with all problems (`config.not_xml_config`, `option.unknown`, `option.duplicate`,
    `option.bad_value`).
    """
    where = name or (source.name if isinstance(source, Path) else None)
    if isinstance(source, bytes):
        chunks: Iterable[bytes] = (source,)
    else:
        with source.open("rb") as file:
            chunks = (file.read(MAX_CONFIG_BYTES + 1),)
    return read_chunks(chunks, where)


def read_chunks(
    chunks: Iterable[bytes], where: str | None = None, *, tick: Callable[[], None] = lambda: None
) -> SumoConfig:
    """`read` for a file that comes in pieces. `tick` is called in every loop over what is in it."""
    reader = _OptionReader()
    try:
        whole = xmlscan.scan(chunks, reader.start, on_text=reader.text, limit=MAX_CONFIG_BYTES)
    except xmlscan.XmlError as error:
        raise _not_a_config(f"The configuration {error}.", where) from error
    if not whole:
        raise _not_a_config(f"The configuration is larger than {MAX_CONFIG_BYTES} bytes.", where)
    reader.flush()
    if not reader.root.lower().endswith("configuration") and not any(
        (option := option_table.find(name)) and option.name == "net-file" for name, _, _ in reader.found
    ):
        raise _not_a_config(f"The file is XML, but its root <{shown(reader.root)}> is no SUMO configuration.", where)
    problems = ProblemList(MAX_LISTED)
    options: dict[str, str] = {}
    left_out: dict[str, None] = {}
    hints = _Hints()
    for written, value, section in reader.found:
        tick()
        if not value:  # SUMO passes over these too
            continue
        option = option_table.find(written)
        if option is None:
            if section == GUI_SECTION or written in config_rules.OTHER_GUIS:
                left_out[shown(written)] = None
            else:
                message = f"SUMO has no option '{shown(written)}'."
                problems.add(Problem("option.unknown", message, where, hints.near(written)))
            continue
        if option.name in options:
            problems.add(Problem("option.duplicate", f"The option '{option.name}' is set twice.", where))
        options[option.name] = value
        if reason := value_problem(option, value):
            message = f"The option '{option.name}' is '{shown(value)}', which {reason}."
            problems.add(Problem("option.bad_value", message, where))
    if problems:
        raise InvalidScenario(problems.all(where))
    return SumoConfig(options, tuple(left_out)[:MAX_LISTED])


def parse_time(text: str) -> float:
    """Seconds of a SUMO time: seconds, `H:M:S` or `D:H:M:S`, the last part with decimals. Raises ValueError.

    Source: SUMO's string2time; a leading minus applies to the whole.
    """
    sign = 1.0
    parts = [text]
    if ":" in text:
        sign = -1.0 if text.startswith("-") else 1.0
        parts = text.removeprefix("-").split(":")
        if len(parts) not in (3, 4):
            raise ValueError(text)
    factors = (86400, 3600, 60, 1)[-len(parts) :]
    seconds = sign * sum(_number(part) * factor for part, factor in zip(parts, factors))
    if not abs(seconds) <= MAX_TIME_S:  # nor what many hours add up to, which may be infinite or no number
        raise ValueError(text)
    return seconds


def value_problem(option: option_table.OptionInfo, value: str) -> str | None:
    """Why SUMO would refuse this value for the option's type, as the end of a sentence; None if it would not."""
    try:
        if option.type == "TIME":
            parse_time(value)
        elif option.type == "FLOAT":
            _number(value)
        elif option.type == "INT":
            if not re.fullmatch(r"\s*[+-]?\d{1,10}", value, re.ASCII) or not -(2**31) <= int(value) < 2**31:
                raise ValueError(value)
        elif option.type == "BOOL" and value.lower() not in TRUE + FALSE:
            raise ValueError(value)
    except ValueError:
        kinds = {"TIME": "a time (seconds or H:M:S)", "FLOAT": "a number", "INT": "a whole number"}
        return f"is not {kinds.get(option.type, 'true or false')}"
    return None


def effective(config: SumoConfig, overrides: Mapping[str, OptionValue]) -> bytes:
    """The `.run.sumocfg` of a hosted run, to be written beside the original (relative paths stay valid).

    `overrides` maps canonical long names to values and wins over the file. Options that a hosted run takes over
    (`config_rules.TAKEN_OVER`) and all GUI options are dropped from the file; an override puts one back.
    An override on SUMO's command line would not do: `--log ""` fails. Raises ValueError for an override that SUMO does
    not know.
    """
    kept = {
        name: config_rules.kept_value(name, value)
        for name, value in config.options.items()
        if not config_rules.is_dropped(name)
    }
    kept.update({name: as_text(value) for name, value in overrides.items()})
    sections: dict[str, list[str]] = {}
    for name, value in kept.items():
        option = option_table.find(name)
        if option is None or option.name != name:
            raise ValueError(f"not a canonical SUMO option: {name}")
        sections.setdefault(option.topic, []).append(f"        <{name} value={quoteattr(value)}/>\n")
    lines = ['<?xml version="1.0" encoding="UTF-8"?>\n', "<sumoConfiguration>\n"]
    for topic, options in sections.items():
        lines += [f"    <{topic}>\n", *options, f"    </{topic}>\n"]
    return "".join([*lines, "</sumoConfiguration>\n"]).encode()


def as_text(value: OptionValue) -> str:
    """The value as SUMO reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class _OptionReader:
    """Collects (name, value, section) of every option in a configuration, as SUMO's own reader does."""

    def __init__(self) -> None:
        self.root = ""
        self.found: list[tuple[str, str, str]] = []
        self._section = ""
        self._open = ""
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.flush()
        self._open = ""
        if not self.root:
            self.root = name
            return
        values = [attributes[key] for key in ("value", "v") if key in attributes]
        if values:
            self.found += [(name, value, self._section) for value in values]
        else:
            self._open = name
            if option_table.find(name) is None:
                self._section = name

    def text(self, text: str) -> None:
        self._text.append(text)

    def flush(self) -> None:
        """Takes the text since the last element for that element's value."""
        text = "".join(self._text).strip() if self._open else ""
        if text:
            self.found.append((self._open, text, self._section))
        self._text.clear()


class _Hints:
    """Looks for options of a similar name, for the first few that are unknown: it takes milliseconds for each."""

    def __init__(self) -> None:
        self._left = MAX_HINTS

    def near(self, written: str) -> str | None:
        self._left -= 1
        if self._left < 0 or len(written) > MAX_HINT_CHARS:
            return None
        near = difflib.get_close_matches(written.lower(), option_table.names(), 1)
        return f"Did you mean '{near[0]}'?" if near else None


def _number(text: str) -> float:
    value = float(text)
    if text != text.rstrip() or "_" in text or not math.isfinite(value):
        raise ValueError(text)
    return value


def _not_a_config(message: str, where: str | None) -> InvalidScenario:
    return InvalidScenario([Problem("config.not_xml_config", message, where)])
