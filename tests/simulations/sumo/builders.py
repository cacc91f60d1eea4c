"""Scenarios and archives for tests, made in memory or by SUMO's own tools."""

from __future__ import annotations

import importlib.util
import io
import os
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulations.sumo.inputs import archive, sumocfg
from simulations.sumo.inputs.output_files import named_outputs
from simulations.sumo.inputs.scenario_check import check_scenario
from simulations.sumo.protocol.problems import InvalidScenario, Problem

Content = str | bytes


def zip_of(
    members: Mapping[str, Content] | Iterable[tuple[str | zipfile.ZipInfo, Content]], **options: int
) -> io.BytesIO:
    """A zip with these members in this order; pairs allow a name twice, ZipInfo allows odd attributes."""
    pairs = members.items() if isinstance(members, Mapping) else members
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **{"compression": zipfile.ZIP_DEFLATED, **options}) as archive:
        for name, content in pairs:
            archive.writestr(name, content)
    file.seek(0)
    return file


def member(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    """A member with a Unix file mode."""
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def raw_member(name: str) -> zipfile.ZipInfo:
    """A member whose name is written as it stands."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    return info


def config(
    options: str = "", *, net: str = "net.net.xml", routes: str = "demand.rou.xml", end: int | None = 100
) -> str:
    """A configuration, with more options as XML."""
    end_option = "" if end is None else f'<end value="{end}"/>'
    return (
        f'<configuration><input><net-file value="{net}"/><route-files value="{routes}"/></input>'
        f"{end_option}{options}</configuration>"
    )


@cache
def sumo_home() -> Path:
    """The folder of the SUMO that pip installed."""
    spec = importlib.util.find_spec("sumo")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def sumo_environment() -> dict[str, str]:
    home = sumo_home()
    return {**os.environ, "SUMO_HOME": str(home), "PROJ_LIB": str(home / "data" / "proj")}


@cache
def network() -> bytes:
    """A grid of 3 by 3 junctions with traffic lights, made by netgenerate."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "net.net.xml"
        tool = sumo_home() / "bin" / "netgenerate"
        grid = ["--grid", "--grid.number", "3", "--default-junction-type", "traffic_light", "-o", str(out)]
        subprocess.run([tool, *grid], check=True, capture_output=True, env=sumo_environment(), timeout=60)
        return out.read_bytes()


@cache
def demand() -> bytes:
    """Trips through that network, made by randomTrips.py."""
    with TemporaryDirectory() as folder:
        net, out = Path(folder) / "net.net.xml", Path(folder) / "demand.rou.xml"
        net.write_bytes(network())
        tool = sumo_home() / "tools" / "randomTrips.py"
        trips = ["-n", str(net), "-o", str(out), "-e", "60", "-p", "2", "--seed", "1"]
        subprocess.run(
            [sys.executable, str(tool), *trips],
            check=True,
            capture_output=True,
            cwd=folder,  # it leaves files of its own there
            env=sumo_environment(),
            timeout=60,
        )
        return out.read_bytes()


def scenario() -> dict[str, Content]:
    """The members of a scenario that runs."""
    return {"run.sumocfg": config(), "net.net.xml": network(), "demand.rou.xml": demand()}


def run_sumo(folder: Path, config_path: str) -> tuple[int, str]:
    """Exit code and messages of the real SUMO on a configuration below the folder, in that configuration's folder."""
    path = folder / config_path
    done = subprocess.run(
        [sumo_home() / "bin" / "sumo", "-c", path.name, "--no-step-log", "true"],
        cwd=path.parent,
        capture_output=True,
        text=True,
        env=sumo_environment(),
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def build(changes: Mapping[str, Content | None]) -> dict[str, Content]:
    """The scenario with changes; None takes a member out; whole layouts bring their own members."""
    members = {} if any(name.endswith("/net.net.xml") for name in changes) else scenario()
    return {name: content for name, content in {**members, **changes}.items() if content is not None}


def codes(changes: Mapping[str, Content | None], **choice: Any) -> list[str]:
    """The codes of what the upload check finds wrong with the changed scenario."""
    return [problem.code for problem in check_scenario(zip_of(build(changes)), **choice).problems]


def warnings(changes: Mapping[str, Content | None]) -> list[Problem]:
    """What it warns of in the changed scenario, which must be accepted."""
    inspection = check_scenario(zip_of(build(changes)))
    assert inspection.problems == ()
    return list(inspection.warnings)


def hosted_run(
    changes: Mapping[str, Content | None], folder: Path, config_path: str = "run.sumocfg"
) -> tuple[int, str]:
    """What the real SUMO says to the changed scenario, run as a hosted run does it: unpacked, with the folders of its
    outputs, by the derived configuration. One that cannot be read is given to SUMO as it is."""
    archive.unpack(zip_of(build(changes)), folder, archive.ArchiveLimits())
    try:
        read = sumocfg.read(folder / config_path)
    except InvalidScenario:
        return run_sumo(folder, config_path)[1]
    for output in named_outputs(folder, config_path, read, deadline=time.monotonic() + 60):
        for needed in output.folders:
            (folder / needed).mkdir(parents=True, exist_ok=True)
    derived = (folder / config_path).with_name(".run.sumocfg")
    derived.write_bytes(sumocfg.effective(read, {"verbose": True}))
    return run_sumo(folder, str(derived.relative_to(folder)))[1]


def ended_well(output: str) -> bool:
    """Whether SUMO says so; its exit code and the word "Error" in its output say little."""
    reasons = ("All vehicles have left the simulation.", "The final simulation step has been reached.")
    return any(f"Reason: {reason}" in output for reason in reasons)


def routes(*elements: str) -> str:
    """A route file."""
    return f"<routes>{''.join(elements)}</routes>"


def vehicle(name: str, depart: object, edges: str = "A0A1") -> str:
    """A vehicle for a route file."""
    return f'<vehicle id="{name}" depart="{depart}"><route edges="{edges}"/></vehicle>'
