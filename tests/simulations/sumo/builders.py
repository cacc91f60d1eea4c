"""Scenarios and archives for tests, made in memory or by SUMO's own tools."""

from __future__ import annotations

import importlib.util
import io
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

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
