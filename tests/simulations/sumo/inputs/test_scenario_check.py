import io
import json
import zipfile

import pytest

from simulations.sumo.inputs.scenario_check import check_config_choice, check_scenario
from tests.simulations.sumo.builders import build, codes, config, demand, network, scenario, warnings, zip_of


def test_says_what_is_in_a_scenario():
    inspection = check_scenario(zip_of(scenario()))
    assert inspection.problems == ()
    assert inspection.warnings == ()
    found = json.loads(json.dumps(inspection.as_dict()))
    assert found["config"] == "run.sumocfg"
    assert found["config_candidates"] == ["run.sumocfg"]
    assert (found["begin"], found["end"], found["step_length"]) == (0, 100, 1)
    assert found["net"] == {"edges": 24, "junctions": 9, "lanes": 24, "traffic_lights": 9, "complete": True}
    assert found["demand"] == {"vehicles": 30, "flows": 0, "persons": 0, "complete": True}
    assert found["files"] == 3
    assert found["unpacked_bytes"] == sum(len(content) for content in scenario().values())
    assert found["inputs"] == [
        {"path": "net.net.xml", "kind": "net", "bytes": len(network())},
        {"path": "demand.rou.xml", "kind": "routes", "bytes": len(demand())},
    ]
    assert found["configs"]["run.sumocfg"]["inputs"] == found["inputs"]


def test_a_configuration_that_was_refused_is_not_told_as_lacking():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as packed:
        packed.writestr("run.sumocfg", config())
    assert [problem.code for problem in check_scenario(file).problems] == ["zip.compression"]


def test_a_scenario_zipped_twice_is_recognised():
    (problem,) = check_scenario(zip_of({"town/inner.zip": zip_of(scenario()).read()})).problems
    assert (problem.code, "'town/inner.zip'" in str(problem.hint)) == ("config.none", True)


def test_a_flow_of_persons_is_no_person():
    routes = (
        '<routes><personFlow id="f" number="20"/><containerFlow id="c" number="2"/><person id="p" depart="0"/></routes>'
    )
    found = check_scenario(zip_of(scenario() | {"demand.rou.xml": routes.encode()})).as_dict()
    assert found["demand"] == {"vehicles": 0, "flows": 2, "persons": 1, "complete": True}


DENIED = [
    ('<remote-port value="8813"/>', "option.denied"),
    ('<save-configuration value="x.xml"/>', "option.denied"),
    ('<C value="x.xml"/>', "option.denied"),
    ('<c value="other.sumocfg"/>', "option.denied"),
    ('<additional-files value="${HOME}/a.xml"/>', "option.env_expansion"),
]


@pytest.mark.parametrize(("option", "code"), DENIED)
def test_refuses_what_a_hosted_run_cannot_allow(option, code):
    assert codes({"run.sumocfg": config(option)}) == [code]


@pytest.mark.parametrize(
    "option",
    [
        '<remote-port value="0"/>',
        '<gui-settings-file value="missing.xml"/>',
        '<tripinfo-output value="not/yet/there/t.xml"/>',
        '<log value="${HOME}/log.txt"/>',
        '<num-clients value="1"/>',
        '<tripinfo-output value=""/>',
    ],
)
def test_accepts_what_the_run_itself_puts_right(option):
    assert codes({"run.sumocfg": config(option)}) == []


LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"run.sumocfg": LFS}, ["input.git_lfs"]),
        ({"run.sumocfg": config('<weight-files value="w.xml"/>'), "w.xml": LFS}, ["input.git_lfs"]),
        ({"run.sumocfg": config('<astar.all-distances value="d"/>'), "d": LFS}, ["input.git_lfs"]),
        ({"run.sumocfg": config('<weight-files value="w.xml"/>'), "w.xml": "<weights/>"}, []),
        ({"run.sumocfg": config('<weight-files value="w.xml"/>')}, ["input.missing"]),
        ({"run.sumocfg": config('<phemlight-path value="phem"/>')}, []),  # a folder: SUMO needs it for some types only
        ({"run.sumocfg": config('<phemlight-path value="../phem"/>')}, ["input.outside_archive"]),
    ],
)
def test_inputs_that_are_not_looked_into(changes, found):
    assert codes(changes) == found


def test_warns_of_what_is_worth_knowing():
    odd = '<tripinfo value="/tmp/t.xml"/><fcd-output value="fcd.xml"/><log value="x"/><osg-view v="1"/>'
    changes = {"run.sumocfg": config(odd, end=None)}
    assert [warning.code for warning in warnings(changes)] == [
        "config.no_end",
        "output.large",
        "option.taken_over",
        "option.left_out",
    ]


def test_says_that_an_own_tripinfo_output_is_taken_over():
    (warning,) = warnings({"run.sumocfg": config('<tripinfo-output value="/my/trips.xml"/>')})
    assert warning.code == "option.taken_over"
    assert "tripinfo-output" in warning.message


def test_lists_every_problem_at_once():
    members = build(
        {
            "run.sumocfg": config(
                '<a v="a.xml,b.xml"/><remote-port value="1"/><queue-output value="h:1"/><fcd-output value="host:1"/>'
            ),
            "net.net.xml": "<net>",
            "demand.rou.xml": None,
        }
    )
    inspection = check_scenario(zip_of([*members.items(), ("../evil", "")]))
    assert [problem.code for problem in inspection.problems] == [
        "zip.path_escape",
        "option.denied",
        "output.outside",
        "option.socket_output",
        "input.bad_xml",
        "input.missing",
        "input.missing",
        "input.missing",
    ]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("Demand.rou.xml", "The archive has 'demand.rou.xml': upper and lower case must match."),
        ("Sub\\d.xml", "The archive has 'sub/d.xml': write '/' instead of '\\' and upper and lower case must match."),
        ("d.xml", "The archive has 'sub/d.xml'."),
        ("nothing.xml", None),
        ("demand.rou.xml;sub/d.xml", "Separate the names of files with commas, not with ';'."),
        ("demand.rou.xml sub/d.xml", "Separate the names of files with commas, not with spaces."),
        (
            "gone/../demand.rou.xml",
            "The archive has 'demand.rou.xml': there is no folder to go through in 'gone/../demand.rou.xml'.",
        ),
    ],
)
def test_hints_at_near_misses(written, hint):
    members = build({"run.sumocfg": config(routes=written), "sub/d.xml": demand()})
    (problem,) = check_scenario(zip_of(members)).problems
    assert problem.hint == hint
    assert problem.where == "run.sumocfg"


def test_no_configuration():
    for members in ({"net.net.xml": network()}, {}):
        assert [problem.code for problem in check_scenario(zip_of(members)).problems] == ["config.none"]


def test_several_configurations_must_be_chosen_from():
    members = build(
        {"traci.sumocfg": config('<remote-port value="8813"/>'), "gone.sumocfg": config(net="gone.net.xml")}
    )
    inspection = check_scenario(zip_of(members))
    (problem,) = inspection.problems
    assert problem.code == "config.ambiguous"
    assert problem.message == "The archive holds 3 configurations: gone.sumocfg, run.sumocfg, traci.sumocfg."
    assert problem.hint is not None
    assert problem.hint.endswith("Nothing wrong was found with: run.sumocfg.")
    assert inspection.config is None
    (problem,) = check_scenario(zip_of(build({"b.sumocfg": config()}))).problems
    assert problem.hint == "Name one as its configuration (the field 'config')."  # nothing was found wrong with either

    assert codes(members, config="run.sumocfg") == []
    assert codes(members, config="./run.sumocfg") == []
    assert codes(members, config="traci.sumocfg") == ["option.denied"]
    assert codes(members, config="gone.sumocfg") == ["input.missing"]
    assert codes(members, config="Run.sumocfg") == ["config.not_found"]
    assert codes(members, config="") == ["config.ambiguous"]
    assert codes(members, config="../../etc/passwd") == ["config.not_found"]
    assert codes(members, config="demand.rou.xml") == ["config.not_xml_config"]


def test_a_job_may_run_another_configuration_of_the_archive():
    members = build({"b.sumocfg": config(end=5), "traci.sumocfg": config('<remote-port value="8813"/>')})
    stored = json.loads(json.dumps(check_scenario(zip_of(members), config="run.sumocfg").as_dict()))
    assert check_config_choice(stored, None) == []
    assert check_config_choice(stored, "b.sumocfg") == []
    assert [problem.code for problem in check_config_choice(stored, "traci.sumocfg")] == ["option.denied"]
    (problem,) = check_config_choice(stored, "none.sumocfg")
    assert problem.code == "config.not_found"
    assert problem.hint == "The archive has: b.sumocfg, run.sumocfg, traci.sumocfg."


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x05\x06"])
def test_what_is_no_zip(content, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    inspection = check_scenario(path)
    assert [problem.code for problem in inspection.problems] == ["zip.unreadable"]
    assert inspection.as_dict()["net"] is None


def test_files_that_include_each_other_are_read_once():
    members = build(
        {
            "a.xml": '<additional><include href="b.xml"/></additional>',
            "b.xml": '<additional><include href="a.xml"/></additional>',
            "run.sumocfg": config('<a v="a.xml"/>'),
        }
    )
    inspection = check_scenario(zip_of(members))
    assert [file["path"] for file in inspection.as_dict()["inputs"]] == [
        "net.net.xml",
        "a.xml",
        "b.xml",
        "demand.rou.xml",
    ]
