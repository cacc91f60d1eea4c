"""One rule for outputs: they stay in the scenario's folder, wherever they are named, or are refused at upload."""

import time

import pytest

from simulations.sumo.inputs import sumocfg
from simulations.sumo.inputs.output_files import named_outputs
from simulations.sumo.inputs.output_rules import Written, locate
from tests.simulations.sumo.builders import codes, config, ended_well, hosted_run, routes, warnings

SSM = '<param key="has.ssm.device" value="true"/><param key="device.ssm.file" value="{}"/>'
TOC = (
    '<param key="has.toc.device" value="true"/><param key="device.toc.manualType" value="DEFAULT_VEHTYPE"/>'
    '<param key="device.toc.automatedType" value="DEFAULT_VEHTYPE"/><param key="device.toc.file" value="{}"/>'
)
LIGHTS = (
    '<tlLogic id="A1" type="actuated" programID="x"><phase duration="9" minDur="5" maxDur="20" state="GGGGGGGGGGGG"/>'
    '<param key="file" value="{}"/></tlLogic>'
)
CALIBRATOR = (
    '<route id="r" edges="A0A1"/><calibrator id="c" edge="A0A1" pos="0" output="{}">'
    '<flow begin="0" end="50" vehsPerHour="500" route="r"/></calibrator>'
)


def options(text):
    """Files of a scenario whose configuration, in a folder of its own, has these options too."""
    return {"run.sumocfg": None, "cfg/run.sumocfg": config(text, net="../net.net.xml", routes="../demand.rou.xml")}


def additional(text):
    return options('<a v="../in/a.xml"/>') | {"in/a.xml": f"<additional>{text}</additional>"}


def included(text):
    return options('<a v="../a.xml"/>') | {
        "a.xml": '<additional><include href="in/b.xml"/></additional>',
        "in/b.xml": f"<additional>{text}</additional>",
    }


def in_routes(text):
    changes = {
        "run.sumocfg": None,
        "in/r.xml": routes(text, '<trip id="t" type="x" depart="0" from="A0A1" to="A1A2"/>'),
    }
    return changes | {"cfg/run.sumocfg": config(net="../net.net.xml", routes="../in/r.xml")}


# How a place names an output, and the folder that the name is relative to.
PLACES = {
    "an option": (options, '<queue-output value="{}"/>', "cfg"),
    "states": (options, '<save-state.times v="5"/><save-state.files value="{}"/>', "cfg"),
    "a device's option": (options, '<device.ssm.probability v="1"/><device.ssm.file value="{}"/>', "cfg"),
    "edge data": (additional, '<edgeData id="e" file="{}"/>', "in"),
    "a detector": (additional, '<inductionLoop id="d" lane="A0A1_0" pos="1" period="9" file="{}"/>', "in"),
    "a lane detector": (additional, '<e2Detector id="d" lane="A0A1_0" pos="1" endPos="9" period="9" file="{}"/>', "in"),
    "an instant detector": (additional, '<instantInductionLoop id="d" lane="A0A1_0" pos="1" file="{}"/>', "in"),
    "an event": (additional, '<timedEvent type="SaveTLSStates" source="A1" dest="{}"/>', "in"),
    "a route probe": (additional, '<routeProbe id="p" edge="A0A1" period="9" file="{}"/>', "in"),
    "a calibrator": (additional, CALIBRATOR, "cfg"),
    "a light's parameter": (additional, LIGHTS, "in"),
    "a vehicle type": (additional, f'<vType id="DEFAULT_VEHTYPE">{SSM}</vType>', "in"),
    "an included file": (included, '<laneData id="e" file="{}"/>', "in"),
    "an included calibrator": (included, CALIBRATOR, "cfg"),
    "a vehicle type in routes": (in_routes, f'<vType id="x">{SSM}</vType>', "in"),
    "a vehicle in routes": (
        in_routes,
        f'<vType id="x"/><vehicle id="v" depart="0"><route edges="A0A1 A1A2"/>{TOC}</vehicle>',
        "in",
    ),
}
REFUSED = {
    "/tmp/x.xml": "output.outside",
    "../../x.xml": "output.outside",
    "../cfg/../../x.xml": "output.outside",
    "/dev/stdout": "output.outside",
    "/proc/self/fd/1": "output.outside",
    "C:\\Users\\me\\x.xml": "output.outside",
    "\\\\server\\x.xml": "output.outside",
    "h:99": "output.outside",
    "localhost:99": "option.socket_output",
    "out/h:99": "option.socket_output",
    "stdout": "option.denied",
    "STDERR": "option.denied",
    "-": "option.denied",
    "${HOME}x": "option.env_expansion",
    "out/": "output.is_folder",
    "..": "output.is_folder",
    "x" * 300: "output.bad_name",
    "../in": "output.is_folder",
    "../net.net.xml/x": "output.is_folder",
    "../net.net.xml": "output.overwrites_input",
    "./../net.net.xml": "output.overwrites_input",
}


@pytest.mark.parametrize(("make", "text", "base"), PLACES.values(), ids=PLACES.keys())
def test_every_place_that_names_an_output(make, text, base, tmp_path):
    """Each writes where the rule says, into folders that it says are needed, and none may leave the scenario."""
    changes = make(text.format("../gone/../out/deep/o.xml")) | {"in/here.txt": ""}
    assert codes(changes) == []
    assert ended_well(hosted_run(changes, tmp_path, "cfg/run.sumocfg"))
    assert (tmp_path / "out/deep/o.xml").is_file()
    read = sumocfg.read(tmp_path / "cfg/run.sumocfg")
    (output,) = named_outputs(tmp_path, "cfg/run.sumocfg", read, deadline=time.monotonic() + 60)
    assert (output.path, output.folders) == ("out/deep/o.xml", ("gone", "out", "out/deep"))

    for value in ("o.xml", "../o.xml"):
        assert codes(make(text.format(value)) | {"in/here.txt": ""}) == []
    for value, code in REFUSED.items():
        assert codes(make(text.format(value)) | {"in/here.txt": ""}) == [code], value


@pytest.mark.parametrize("value", ["NUL", "nul", "/dev/null"])
def test_the_null_device_is_no_place(value, tmp_path):
    changes = additional(f'<edgeData id="e" file="{value}"/>') | {"in/here.txt": ""}
    assert codes(changes) == []
    assert ended_well(hosted_run(changes, tmp_path, "cfg/run.sumocfg"))


def test_names_are_decoded_in_configurations_only(tmp_path):
    changes = {
        "a b.xml": '<additional><edgeData id="e" file="x%20y/o.xml"/></additional>',
        "run.sumocfg": config('<a v="a%20b.xml"/><queue-output v="p%20q/o.xml"/>'),
    }
    assert codes(changes) == []
    assert ended_well(hosted_run(changes, tmp_path))
    assert (tmp_path / "x%20y/o.xml").is_file()
    assert (tmp_path / "p q/o.xml").is_file()
    for value in ("%2ftmp/o.xml", "%2e%2e/o.xml", "std%6fut", "host%3a99"):
        assert len(codes({"run.sumocfg": config(f'<queue-output v="{value}"/>')})) == 1


@pytest.mark.parametrize(
    "text",
    [
        '<foo file="/tmp/x.xml"/><poly id="p" shape="0,0 1,1 1,0" imgFile="/tmp/x.png"/>',
        '<rerouter id="r" edges="A0A1" file="/tmp/x.xml"/>',
        LIGHTS.replace("actuated", "static").format("/tmp/x.xml"),
        '<busStop id="s" lane="A0A1_0" endPos="20"><param key="file" value="/tmp/x.xml"/></busStop>',
    ],
)
def test_what_sumo_does_not_write_may_be_named_as_one_likes(text, tmp_path):
    assert codes(additional(text)) == []
    assert ended_well(hosted_run(additional(text), tmp_path, "cfg/run.sumocfg"))


def test_route_files_write_no_detectors(tmp_path):
    changes = in_routes('<edgeData id="e" file="/tmp/x.xml"/><vType id="x"/>')
    assert codes(changes) == []
    assert ended_well(hosted_run(changes, tmp_path, "cfg/run.sumocfg"))


@pytest.mark.parametrize("option", ["log", "tripinfo-output", "summary-output", "output-prefix", "gui-settings-file"])
def test_what_the_run_drops_is_not_judged(option):
    assert codes({"run.sumocfg": config(f'<{option} value="/tmp/x"/>')}) == []


def test_a_result_of_an_earlier_run_may_be_written_again(tmp_path):
    changes = {"old.xml": "<x/>", "run.sumocfg": config('<queue-output v="old.xml"/>')}
    assert codes(changes) == []
    assert ended_well(hosted_run(changes, tmp_path))


def test_the_configuration_is_an_input_too():
    assert codes({"run.sumocfg": config('<queue-output v="run.sumocfg"/>')}) == ["output.overwrites_input"]


def test_warns_of_outputs_with_windows_paths():
    """They would be written under a name that cannot be stored, after hours perhaps."""
    added = '<additional><edgeData id="e" file="out\\edges.xml"/></additional>'
    found = warnings({"a.xml": added, "run.sumocfg": config('<a v="a.xml"/><fcd-output value="out\\fcd.xml"/>')})
    assert [(warning.code, warning.where) for warning in found] == [
        ("output.name", "run.sumocfg"),
        ("output.name", "a.xml"),
    ]
    assert "/" in (found[0].hint or "")


@pytest.mark.parametrize(
    ("value", "path", "folders"),
    [
        ("o.xml", "in/o.xml", ()),
        ("./a//b/o.xml", "in/a/b/o.xml", ("in/a", "in/a/b")),
        ("../o.xml", "o.xml", ()),
        ("../cfg/../in/o.xml", "in/o.xml", ("cfg", "in")),
        ("../../o.xml", None, ()),
    ],
)
def test_the_way_to_an_output(value, path, folders):
    output = locate(Written("<edgeData>", value), "in/a.xml", "cfg/run.sumocfg")
    assert (output.path, output.folders) == (path, folders)


def test_unreadable_inputs_are_left_to_sumo(tmp_path):
    (tmp_path / "a.xml").write_text("<broken")
    (tmp_path / "b.xml").write_text('<additional><edgeData id="e" file="o/o.xml"/><include href="a.xml"/></additional>')
    read = sumocfg.read(config('<a v="a.xml,gone.xml,../../b.xml,b.xml"/>').encode())
    (output,) = named_outputs(tmp_path, "run.sumocfg", read, deadline=time.monotonic() + 60)
    assert output.path == "o/o.xml"
    assert named_outputs(tmp_path, "run.sumocfg", read, deadline=0) == []
