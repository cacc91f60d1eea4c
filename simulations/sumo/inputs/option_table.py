"""The options that SUMO knows, their types and other names: the output of `sumo --save-template` as a table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class OptionInfo:
    """One option. `type` is SUMO's: BOOL, INT, FLOAT, TIME, STR, STR[] or FILE; `topic` its section in a file."""

    name: str
    topic: str
    type: str


@cache
def _by_any_name() -> dict[str, OptionInfo]:
    table: dict[str, OptionInfo] = {}
    for line in Path(__file__).with_name("sumo_options.tsv").read_text(encoding="utf-8").splitlines():
        name, topic, kind, *synonyms = line.split("\t")
        option = OptionInfo(name, topic, kind)
        for known_as in (name, *" ".join(synonyms).split()):
            table[known_as] = option
    return table


def find(name: str) -> OptionInfo | None:
    """The option with this long name, short name or synonym; SUMO's names are case-sensitive."""
    return _by_any_name().get(name)


@cache
def names() -> list[str]:
    """Every canonical long name."""
    return sorted({option.name for option in _by_any_name().values()})
