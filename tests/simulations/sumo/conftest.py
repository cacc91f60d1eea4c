"""SUMO's real binary, tiny scenarios made with its own tools, and the runner against a real HTTP server."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sumo

from tests.simulations.sumo.harness import FakeControlPlane, Pod, make_zip

HOME = Path(sumo.SUMO_HOME)


@pytest.fixture(scope="session")
def sumo_environment() -> dict[str, str]:
    """What the image gives the runner; the binary is the real one, not the wheel's Python wrapper."""
    return {
        "SUMO_BINARY": str(HOME / "bin" / "sumo"),
        "SUMO_HOME": str(HOME),
        "PROJ_LIB": str(HOME / "data" / "proj"),
    }


@pytest.fixture(scope="session")
def tiny_net(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A grid of 3 by 3 junctions, 200 m apart: edges A0A1, A0B0 and so on to C2."""
    path = tmp_path_factory.mktemp("net") / "net.xml"
    command = [HOME / "bin" / "netgenerate", "--grid", "--grid.number", "3", "--grid.length", "200", "-o", path]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_text()


ROUTES = """<routes>
    <flow id="east" from="A0B0" to="B2C2" begin="0" end="300" period="4" departLane="best"/>
    <flow id="west" from="C2B2" to="B0A0" begin="0" end="300" period="5" departLane="best"/>
</routes>"""


def config(*, end: int | None = 600, extra: str = "") -> str:
    end_option = f'<end value="{end}"/>' if end is not None else ""
    return f"""<configuration>
    <net-file value="net.xml"/><route-files value="routes.xml"/><begin value="0"/>{end_option}{extra}
</configuration>"""


@pytest.fixture(scope="session")
def scenario(tiny_net: str) -> Callable[..., bytes]:
    """Makes a zip: scenario(routes=…, end=…, extra=…, files={…})."""

    def make(
        *, routes: str = ROUTES, end: int | None = 600, extra: str = "", files: dict[str, str] | None = None
    ) -> bytes:
        inputs = {"tiny.sumocfg": config(end=end, extra=extra), "net.xml": tiny_net, "routes.xml": routes}
        return make_zip(inputs | (files or {}))

    return make


@pytest.fixture
def plane(scenario: Callable[..., bytes]) -> Iterator[FakeControlPlane]:
    server = FakeControlPlane(scenario())
    yield server
    server.close()


@pytest.fixture
def pod(tmp_path: Path, plane: FakeControlPlane, sumo_environment: dict[str, str]) -> Pod:
    return Pod(tmp_path, plane, sumo_environment)
