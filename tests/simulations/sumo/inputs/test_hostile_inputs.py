"""Ways past the rules that SUMO's real binary went along with: each wrote, read or called somewhere outside."""

import time

import pytest

from simulations.sumo.inputs import sumocfg
from simulations.sumo.inputs.output_files import named_outputs
from tests.simulations.sumo.builders import build, check_scenario, codes, config, network, routes, warnings, zip_of

UP = "/../../../../../x"
SSM = '<param key="has.ssm.device" value="true"/>'
SSM_FILE = f'{SSM}<param key="device.ssm.file" value="/x.xml"/>'
OUTSIDE = '<include href="/x.xml"/>'


def added(content):
    return {"run.sumocfg": config('<a v="a.xml"/>'), "a.xml": content}


def in_net(text):
    return {"net.net.xml": network().replace(b"</net>", f"{text}</net>".encode())}


def named(option, content):
    return {"run.sumocfg": config(f'<{option} value="x.xml"/>'), "x.xml": content}


def vehicles(kind, when):
    return {"demand.rou.xml": routes(f'<{kind} id="v{UP}" {when} from="A0A1" to="A1A2">{SSM}</{kind}>')}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (in_net('<edgeData id="e" file="/x.xml"/>'), "output.outside"),
        (in_net('<e1Detector id="d" lane="A0A1_0" pos="1" period="9" file="/x.xml"/>'), "output.outside"),
        (in_net('<calibrator id="c" edge="A0A1" pos="0" output="/x.xml"/>'), "output.outside"),
        (added('<edgeData id="e" file="/x.xml"/>'), "output.outside"),
        (added(OUTSIDE), "input.outside_archive"),
        (added('<additional><edgeData id="e" edgesFile="/x.txt"/></additional>'), "input.outside_archive"),
        (added('<additional><laneData id="e" edgesFile="x.txt"/></additional>'), "input.missing"),
        (added('<additional><include href="${SUMO_HOME}/x.xml"/></additional>'), "input.missing"),
        (
            added('<additional><edgeData id="e" edgesFile="b.xml"/><include href="b.xml"/></additional>')
            | {"b.xml": '<additional><edgeData id="e" file="/x.xml"/></additional>'},
            "output.outside",
        ),
        (vehicles("trip", 'depart="0"'), "output.outside"),
        (vehicles("flow", 'begin="0" end="9" number="2"'), "output.outside"),
        (named("load-state", f'<snapshot><vType id="t">{SSM_FILE}</vType></snapshot>'), "output.outside"),
        (named("load-state", f"<snapshot>{OUTSIDE}</snapshot>"), "input.outside_archive"),
        (named("weight-files", f"<meandata>{OUTSIDE}</meandata>"), "input.outside_archive"),
        (named("weight-files", '<!DOCTYPE meandata SYSTEM "http://192.0.2.1/x.dtd"><meandata/>'), "input.bad_xml"),
        (named("device.fcd-replay.files", f"<fcd-export>{OUTSIDE}</fcd-export>"), "input.outside_archive"),
        *(
            ({"run.sumocfg": config(f'<save-state.times v="2"/><save-state.suffix v="{suffix}"/>')}, "option.bad_value")
            for suffix in (f"{UP}.xml", ":9999")
        ),
    ],
)
def test_is_refused(changes, code):
    assert codes(changes) == [code]


@pytest.mark.parametrize(
    "changes",
    [
        in_net('<edgeData id="e" file="/x.xml"/>'),
        vehicles("trip", 'depart="0"'),
        vehicles("flow", 'begin="0" end="9" number="2"'),
        named("load-state", f'<snapshot><vType id="t">{SSM_FILE}</vType></snapshot>'),
        in_net('<edgeData id="e" file="/x.xml"/>') | {"run.sumocfg": config(routes="net.net.xml")},
    ],
)
def test_the_pod_finds_it_beyond_what_the_upload_check_reads(changes, tmp_path):
    for name, content in build(changes).items():
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    read = sumocfg.read(tmp_path / "run.sumocfg")
    found = named_outputs(tmp_path, "run.sumocfg", read, deadline=time.monotonic() + 60)
    assert [output.problem.code for output in found if output.problem] == ["output.outside"]


@pytest.mark.parametrize("option", ["xml-validation", "xml-validation.net", "xml-validation.routes"])
@pytest.mark.parametrize(("asked", "kept"), [("always", "local"), ("auto", "local"), ("never", "never")])
def test_no_schema_is_fetched_from_where_a_file_says(option, asked, kept):
    text = config(f'<{option} value="{asked}"/>')
    told = [problem.code for problem in warnings({"run.sumocfg": text})]
    assert told == (["option.taken_over"] if kept != asked else [])
    own = sumocfg.read(text.encode())
    assert sumocfg.read(sumocfg.effective(own, {})).options[option] == kept


def test_vehicles_of_a_state_are_no_demand():
    changes = named("load-state", '<snapshot><vehicle id="v" depart="0"/></snapshot>')
    with_state, without = (check_scenario(zip_of(build(each))).as_dict()["demand"] for each in (changes, {}))
    assert with_state == without
