"""The SUMO options a tenant may set, those a hosted run takes over or refuses, and the outputs to ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from simulations.sumo.problems import Problem
from simulations.sumo.sumocfg import OptionValue


@dataclass(frozen=True, slots=True)
class AllowedOption:
    """An option of the payload's `options`. Bounds are inclusive; times are seconds."""

    type: Literal["float", "int", "bool", "time", "choice", "names"]
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """A result that a job may ask for: the SUMO option that writes it and the name of the file it writes.

    The artifact is `file` with `.gz` behind it, except for files that are packed already (`.parquet`).
    """

    option: str
    file: str
    help: str


ALLOWED: dict[str, AllowedOption] = {}
OUTPUTS: dict[str, Output] = {}
REFUSED: frozenset[str] = frozenset()


def check_request(
    *,
    options: Mapping[str, Any] | None = None,
    outputs: Sequence[Any] | None = None,
    begin: Any = None,
    end: Any = None,
    step_length: Any = None,
    scale: Any = None,
    seed: Any = None,
) -> list[Problem]:
    """Everything wrong with what a job asks of SUMO, without looking at the scenario; empty if it is fine."""
    raise NotImplementedError


def request_overrides(
    *,
    options: Mapping[str, Any],
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
    raise NotImplementedError
