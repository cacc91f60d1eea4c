"""Folders that SUMO does not make itself, wherever the scenario names them; and what may not be written at all."""

from collections.abc import Callable

import pytest

from tests.simulations.sumo.conftest import config
from tests.simulations.sumo.harness import FakeControlPlane, Pod

SSM = '<param key="has.ssm.device" value="true"/><param key="device.ssm.file" value="ssm/{}.xml"/>'
ROUTE = '<route edges="A0B0 B0C0"/>'
FILES = {
    "my demand.rou.xml": f'<routes><vType id="t">{SSM.format("type")}</vType><vehicle id="a" depart="0" type="t">'
    f'{ROUTE}</vehicle><vehicle id="b" depart="3">{SSM.format("vehicle")}{ROUTE}</vehicle></routes>',
    "sub/my add.xml": '<additional><include href="deep/more.xml"/><edgeData id="e" file="edges/e.xml"/>'
    '<route id="r" edges="A0B0 B0C0"/><calibrator id="c" edge="A0B0" pos="0" period="10" output="calibrated/c.xml">'
    '<flow begin="0" end="50" vehsPerHour="500" route="r" speed="10" type="DEFAULT_VEHTYPE"/></calibrator>'
    "</additional>",
    "sub/deep/more.xml": '<additional><inductionLoop id="d" lane="A0B0_0" pos="9" period="60" file="loops/d.xml"/>'
    '<inductionLoop id="n" lane="A0B0_0" pos="9" period="60" file="/dev/null"/></additional>',
}
OPTIONS = (
    '<additional-files value="sub/my%20add.xml"/><vehroute-output value="my%20routes/v.xml"/>'
    '<save-state.times value="40,60"/><save-state.files value="s1/a.xml.gz,s2/b.xml"/>'
    '<save-state.prefix value="states/p"/><save-state.period value="90"/>'
)


def test_every_folder_that_an_output_needs_is_made(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes]
) -> None:
    own = config(end=100, extra=OPTIONS).replace("routes.xml", "my%20demand.rou.xml", 1)
    plane.scenario = scenario(files={**FILES, "tiny.sumocfg": own})
    done = pod.run()
    assert done.code == 0, done.stdout
    assert {name for name in done.artifacts if name.startswith("scenario/")} == {
        "scenario/calibrated/c.xml.gz",  # from the working folder, not from the file that names it
        "scenario/my routes/v.xml.gz",
        "scenario/s1/a.xml.gz",
        "scenario/s2/b.xml.gz",
        "scenario/ssm/type.xml.gz",
        "scenario/ssm/vehicle.xml.gz",
        "scenario/states/p_0.00.xml.gz",
        "scenario/states/p_90.00.xml.gz",
        "scenario/sub/deep/loops/d.xml.gz",
        "scenario/sub/edges/e.xml.gz",
    }


@pytest.mark.parametrize(
    "value, code",
    [
        ("/tmp/x.xml", "output.outside"),
        ("../results/x.xml", "output.outside"),
        ("/dev/shm/x.xml", "output.outside"),
        ("host:99", "option.socket_output"),
    ],
)
def test_what_leaves_the_scenario_is_refused_before_the_run_even_beyond_what_the_upload_check_reads(
    pod: Pod, plane: FakeControlPlane, scenario: Callable[..., bytes], value: str, code: str
) -> None:
    padding = f"<!--{'x' * 1000}-->\n" * 9000  # the check stops after 8 MiB of an input
    plane.scenario = scenario(
        extra='<additional-files value="add.xml"/>',
        files={"add.xml": f'<additional>{padding}<edgeData id="e" file="{value}"/></additional>'},
    )
    done = pod.run()
    assert (done.code, done.error_codes) == (65, [code])
    assert not done.of("progress")
