"""The check of an uploaded scenario: reads the zip in place, runs no SUMO, lists everything that is wrong at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from simulations.sumo.archive import ArchiveLimits
from simulations.sumo.problems import Problem


@dataclass(frozen=True)
class InputFile:
    """An input that a configuration names. `kind` is net, routes, additional, … ; `bytes` its size as stored."""

    path: str
    kind: str
    bytes: int


@dataclass(frozen=True)
class ConfigReport:
    """What one configuration of the archive would run, and what is wrong with it. Times in seconds.

    `net` is {edges, junctions, lanes, traffic_lights, complete}, `demand` {vehicles, flows, persons, complete};
    `complete` is false where counting stopped at its bound.
    """

    path: str
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    begin: float | None = None
    end: float | None = None
    step_length: float | None = None
    inputs: tuple[InputFile, ...] = ()
    net: Mapping[str, int | bool] | None = None
    demand: Mapping[str, int | bool] | None = None

    def as_dict(self) -> dict[str, Any]:
        raise NotImplementedError


@dataclass(frozen=True)
class Inspection:
    """What was found in an archive. `problems` refuse the upload: the archive's own and the chosen configuration's."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    config: str | None
    configs: Mapping[str, ConfigReport]
    files: int
    unpacked_bytes: int

    @property
    def config_candidates(self) -> list[str]:
        return list(self.configs)

    def as_dict(self) -> dict[str, Any]:
        """As JSON, to be stored with the scenario: {problems, warnings, config, config_candidates, files,
        unpacked_bytes, begin, end, step_length, net, demand, inputs (the chosen config's), configs: {path: …}}."""
        raise NotImplementedError


def check_scenario(
    source: Path | str | BinaryIO, *, config: str | None = None, limits: ArchiveLimits | None = None
) -> Inspection:
    """Look at a zip without unpacking it to disk. Never raises for bad input: see `problems`."""
    raise NotImplementedError


def check_config_choice(inspection: Mapping[str, Any], config: str | None) -> list[Problem]:
    """Whether a job may run `config` (None: the one chosen at upload) of a stored `Inspection.as_dict()`.

    An unknown path gives `config.not_found`; a configuration with problems gives those problems.
    """
    raise NotImplementedError
