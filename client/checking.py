"""What the service would find in a scenario, found here: by its own rules, which are packed with this package."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ApiProblem
from .packing import pack, survey

if TYPE_CHECKING:
    from simulations.sumo.inputs.scenario_check import Inspection

CPU_S = 20.0


def _inspect(path: Path, config: str | None) -> Inspection:
    """By the rules, which are loaded only now: most commands need none of them.

    pyproject.toml puts them beside this file; in the service's repository they are where they are.
    """
    place = ".sumo.inputs" if Path(__file__).with_name("sumo").is_dir() else "simulations.sumo.inputs"
    rules = import_module(f"{place}.scenario_check", __package__)
    # How much may be sent is each installation's own, so the service says it.
    any_size = rules.ArchiveLimits(bytes=2**60, files=10**6, unpacked_bytes=2**60, ratio=1e9)
    found: Inspection = rules.check_scenario(path, config=config, limits=any_size, cpu_s=CPU_S)
    return found


def check(source: str | Path, *, config: str | None = None) -> dict[str, Any]:
    """What an upload of this zip or folder would find, without the service: {config, inspection}.

    Raises ApiProblem with all that is wrong.
    """
    path = Path(source)
    missing: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="sumok8-") as scratch:
        try:
            if path.is_dir():
                packing = survey(path, config)
                config, missing = packing.config, list(packing.missing)
                path = pack(path, packing.files, Path(scratch) / "scenario.zip")
            found = _inspect(path, config)
        except OSError as error:
            raise ApiProblem(f"{source} cannot be read: {error}") from None
    if missing or found.problems:
        details = [problem.as_dict() for problem in found.problems]
        if not any(each["code"].startswith("input.") for each in details):  # an unreadable configuration hides them
            details = missing + details
        message = "The scenario cannot be used; this is everything that is wrong."
        raise ApiProblem(message, code="scenario.invalid", details=details)
    return {"config": found.config, "inspection": found.as_dict()}
