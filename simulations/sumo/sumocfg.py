"""SUMO configuration files: read as SUMO reads them, and the derived configuration that a hosted run uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OptionValue = str | int | float | bool


@dataclass(frozen=True)
class SumoConfig:
    """The options of one `.sumocfg`, by canonical long name, in the order of the file; empty values are left out."""

    options: Mapping[str, str]

    def files(self, name: str) -> list[str]:
        """The file names in a list option such as `route-files`, split on commas as SUMO splits them."""
        raise NotImplementedError

    @property
    def begin(self) -> float:
        """Seconds; SUMO's default is 0."""
        raise NotImplementedError

    @property
    def end(self) -> float | None:
        """Seconds, or None if the run ends when all vehicles have left."""
        raise NotImplementedError

    @property
    def step_length(self) -> float:
        """Seconds; SUMO's default is 1."""
        raise NotImplementedError


def read(source: bytes | Path) -> SumoConfig:
    """Read a configuration. Raises InvalidScenario (`config.not_xml_config`, `option.unknown`, `option.duplicate`)."""
    raise NotImplementedError


def effective(config: SumoConfig, overrides: Mapping[str, OptionValue]) -> bytes:
    """The `.run.sumocfg` of a hosted run, to be written beside the original (relative paths stay valid).

    `overrides` maps canonical long names to values and wins over the file. Options that a hosted run takes over
    (`options.TAKEN_OVER`) and all GUI options are dropped from the file; an override puts one back.
    """
    raise NotImplementedError
