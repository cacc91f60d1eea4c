import gzip
import io
import json
import random
import zipfile

import pytest

from simulations.sumo import archive, config_check
from simulations.sumo.archive import ArchiveLimits
from simulations.sumo.scenario_check import check_config_choice, check_scenario
from tests.simulations.sumo.builders import config, demand, network, run_sumo, scenario, zip_of

LIMITS = ArchiveLimits()


def codes(members, **choice):
    return [problem.code for problem in check_scenario(zip_of(members), **choice).problems]


def sumo_runs(members, tmp_path, config_path="run.sumocfg"):
    """Whether the real SUMO runs the scenario as unpacked."""
    archive.unpack(zip_of(members), tmp_path / "scenario", LIMITS)
    code, output = run_sumo(tmp_path / "scenario", config_path)
    return code == 0 and "Error" not in output


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


ADDITIONAL = '<additional><edgeData id="e" file="out.xml"/></additional>'
ACCEPTED = {
    "as it is": ({}, "run.sumocfg"),
    "one top folder and macOS clutter": (
        {f"top/{name}": content for name, content in scenario().items()} | {"__MACOSX/top/._run.sumocfg": b"\0"},
        "top/run.sumocfg",
    ),
    "a configuration named .sumo.cfg": ({"run.sumocfg": None, "run.sumo.cfg": config()}, "run.sumo.cfg"),
    "a configuration named .cfg": ({"run.sumocfg": None, "run.cfg": config()}, "run.cfg"),
    "another configuration deeper down": ({"old/run.sumocfg": config(net="gone.xml")}, "run.sumocfg"),
    "names with spaces": (
        {"my net.net.xml": network(), "run.sumocfg": config(net="my net.net.xml")},
        "run.sumocfg",
    ),
    "encoded names": ({"my net.net.xml": network(), "run.sumocfg": config(net="my%20net.net.xml")}, "run.sumocfg"),
    "spaces after commas": (
        {"a.add.xml": ADDITIONAL, "b.add.xml": "<add/>", "run.sumocfg": config('<a v="a.add.xml, b.add.xml"/>')},
        "run.sumocfg",
    ),
    "gzip by content": (
        {
            "net.net.xml": gzip.compress(network()),
            "d.xml.gz": gzip.compress(demand()),
            "run.sumocfg": config(routes="d.xml.gz"),
        },
        "run.sumocfg",
    ),
    "a path up that stays inside": (
        {"run.sumocfg": None, "sub/run.sumocfg": config(net="../net.net.xml", routes="./../sub/../demand.rou.xml")},
        "sub/run.sumocfg",
    ),
    "short and flat": (
        {"run.sumocfg": '<configuration><n v="net.net.xml"/><r v="demand.rou.xml"/><e v="0:1:0"/></configuration>'},
        "run.sumocfg",
    ),
    "no routes": ({"run.sumocfg": '<configuration><n v="net.net.xml"/><e v="9"/></configuration>'}, "run.sumocfg"),
    "an included file": (
        {
            "a.add.xml": '<additional><include href="b.xml"/></additional>',
            "b.xml": "<x/>",
            "run.sumocfg": config('<a v="a.add.xml"/>'),
        },
        "run.sumocfg",
    ),
    "routes behind the end are not looked at": (
        {"demand.rou.xml": '<routes><flow id="f" begin="200" end="300" number="1" from="x" to="y"/></routes>'},
        None,
    ),
    "wrong routes that are to be ignored": (
        {
            "demand.rou.xml": '<routes><trip id="t" depart="0" from="x" to="y"/></routes>',
            "run.sumocfg": config('<ignore-route-errors v="true"/>'),
        },
        None,
    ),
}


def build(changes):
    """The scenario with changes; None takes a member out; whole layouts bring their own members."""
    members = {} if any(name.endswith("/net.net.xml") for name in changes) else scenario()
    return {name: content for name, content in (members | changes).items() if content is not None}


@pytest.mark.parametrize(("changes", "config_path"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepts_what_sumo_runs(changes, config_path, tmp_path):
    members = build(changes)
    inspection = check_scenario(zip_of(members))
    assert inspection.problems == ()
    if config_path is not None:
        assert inspection.config == config_path
        assert sumo_runs(members, tmp_path, config_path)


REFUSED = {
    "input.missing": [
        {"net.net.xml": None},
        {"run.sumocfg": config(routes="Demand.rou.xml")},
        {"sub/d.rou.xml": demand(), "run.sumocfg": config(routes="sub\\d.rou.xml")},
        {"run.sumocfg": config(routes="demand.rou.xml,")},
        {"run.sumocfg": config('<load-state value="state.xml"/>')},
        {"a.xml": '<additional><include href="gone.xml"/></additional>', "run.sumocfg": config('<a v="a.xml"/>')},
        {
            "a.xml": '<additional><calibrator id="c" edge="A0A1" pos="0" file="gone.xml" output="o.xml"/></additional>',
            "run.sumocfg": config('<a v="a.xml"/>'),
        },
    ],
    "input.outside_archive": [
        {"run.sumocfg": config(net="../net.net.xml")},
        {"run.sumocfg": config(net="%2e%2e/net.net.xml")},
        {"run.sumocfg": config(net="/nowhere/net.net.xml")},
        {"run.sumocfg": config(net="C:\\Users\\me\\net.net.xml")},
        {"run.sumocfg": config(net="http://localhost:9/net.net.xml")},
        {"a.xml": '<additional><include href="/nowhere.xml"/></additional>', "run.sumocfg": config('<a v="a.xml"/>')},
    ],
    "input.bad_xml": [
        {"net.net.xml": "<net><edge></net>"},
        {"net.net.xml": network()[:3000]},
        {"net.net.xml": gzip.compress(network())[:-100]},
        {"net.net.xml": b"\x1f\x8b\x08garbage"},
        {"net.net.xml": ""},
        {"net.net.xml": "version https://git-lfs.github.com/spec/v1"},
        {"demand.rou.xml": '<!DOCTYPE routes [<!ENTITY a "b">]><routes>&a;</routes>'},
    ],
    "input.wrong_kind": [
        {"net.net.xml": demand()},
        {"net.net.xml": "<html><body/></html>"},
    ],
    "input.unknown_edge": [
        {"demand.rou.xml": '<routes><trip id="t" depart="0" from="A0A1" to="nowhere"/></routes>'},
        {"demand.rou.xml": '<routes><vehicle id="t" depart="5"><route edges="A0A1 nowhere"/></vehicle></routes>'},
    ],
    "config.no_network": [{"run.sumocfg": '<configuration><r v="demand.rou.xml"/></configuration>'}],
    "config.not_xml_config": [{"run.sumocfg": "net-file = net.net.xml"}],
    "option.unknown": [{"run.sumocfg": config('<nonsense value="1"/>')}],
    "option.duplicate": [{"run.sumocfg": config('<e value="1"/>')}],
    "option.bad_value": [
        {"run.sumocfg": config('<begin value="200"/>')},
        {"run.sumocfg": config('<begin value="-1"/>')},
        {"run.sumocfg": config('<step-length value="0"/>')},
        {"run.sumocfg": config('<seed value="many"/>')},
    ],
}


@pytest.mark.parametrize(("code", "changes"), [(code, changes) for code, cases in REFUSED.items() for changes in cases])
def test_refuses_what_sumo_fails_on(code, changes, tmp_path):
    members = build(changes)
    assert codes(members) == [code]
    assert not sumo_runs(members, tmp_path)


def test_refuses_a_plain_mistake_that_sumo_would_run_as_an_empty_simulation():
    assert codes(build({"demand.rou.xml": config()})) == ["input.wrong_kind"]
    assert codes(build({"demand.rou.xml": network()})) == ["input.wrong_kind"]


DENIED = [
    ('<remote-port value="8813"/>', "option.denied"),
    ('<save-configuration value="x.xml"/>', "option.denied"),
    ('<C value="x.xml"/>', "option.denied"),
    ('<c value="other.sumocfg"/>', "option.denied"),
    ('<tripinfo-output value="stdout"/>', "option.denied"),
    ('<amitran-output value="localhost:8089"/>', "option.socket_output"),
    ('<fcd-output value="10.0.0.1:80"/>', "option.socket_output"),
    ('<device.ssm.file value="host:80"/>', "option.socket_output"),
    ('<tripinfo-output value="${SECRET}.xml"/>', "option.env_expansion"),
    ('<additional-files value="${HOME}/a.xml"/>', "option.env_expansion"),
]


@pytest.mark.parametrize(("option", "code"), DENIED)
def test_refuses_what_a_hosted_run_cannot_allow(option, code):
    assert codes(build({"run.sumocfg": config(option)})) == [code]


@pytest.mark.parametrize(
    ("file", "code"),
    [("localhost:9", "option.socket_output"), ("${HOME}x", "option.env_expansion"), ("stdout", "option.denied")],
)
def test_looks_at_the_outputs_of_additional_files(file, code):
    added = f'<additional><edgeData id="e" file="{file}"/></additional>'
    assert codes(build({"a.xml": added, "run.sumocfg": config('<a v="a.xml"/>')})) == [code]


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
    assert codes(build({"run.sumocfg": config(option)})) == []


def test_warns_of_what_is_worth_knowing():
    odd = '<a v="a.xml"/><tripinfo value="/tmp/t.xml"/><fcd-output value="../../fcd.xml"/><log value="x"/>'
    added = (
        '<additional><edgeData id="e" file="/tmp/x.xml"/><e1Detector id="d" lane="x" pos="1" file="NUL"/></additional>'
    )
    inspection = check_scenario(zip_of(build({"a.xml": added, "run.sumocfg": config(odd, end=None)})))
    assert inspection.problems == ()
    assert [warning.code for warning in inspection.warnings] == [
        "config.no_end",
        "output.outside",
        "output.outside",
        "output.large",
        "option.taken_over",
        "output.outside",
    ]


def test_warns_of_outputs_with_windows_paths():
    """They would be written under a name that cannot be stored, after hours perhaps."""
    added = '<additional><edgeData id="e" file="out\\edges.xml"/></additional>'
    written = '<a v="a.xml"/><fcd-output value="out\\fcd.xml"/>'
    inspection = check_scenario(zip_of(build({"a.xml": added, "run.sumocfg": config(written)})))
    assert [(warning.code, warning.where) for warning in inspection.warnings] == [
        ("output.name", "run.sumocfg"),
        ("output.name", "a.xml"),
    ]
    assert "/" in (inspection.warnings[0].hint or "")


def test_says_that_an_own_tripinfo_output_is_taken_over():
    inspection = check_scenario(zip_of(build({"run.sumocfg": config('<tripinfo-output value="my/trips.xml"/>')})))
    assert [warning.code for warning in inspection.warnings] == ["option.taken_over"]
    assert "tripinfo-output" in inspection.warnings[0].message


def test_lists_every_problem_at_once():
    members = build(
        {
            "run.sumocfg": config(
                '<a v="a.xml,b.xml"/><remote-port value="1"/><tripinfo value="h:1"/><fcd-output value="host:1"/>'
            ),
            "net.net.xml": "<net>",
            "demand.rou.xml": None,
        }
    )
    inspection = check_scenario(zip_of([*members.items(), ("../evil", "")]))
    assert [problem.code for problem in inspection.problems] == [
        "zip.path_escape",
        "option.denied",
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
    ],
)
def test_hints_at_near_misses(written, hint):
    members = build({"run.sumocfg": config(routes=written), "sub/d.xml": demand()})
    (problem,) = check_scenario(zip_of(members)).problems
    assert problem.hint == hint
    assert problem.where == "run.sumocfg"


def test_no_configuration():
    assert codes({"net.net.xml": network()}) == ["config.none"]
    assert codes({}) == ["config.none"]


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


def test_a_bomb_is_not_unpacked_to_look_at_it():
    members = build({"net.net.xml": b"<net>" + b" " * 150 * 1024**2})
    assert codes(members, limits=ArchiveLimits(ratio=50)) == ["zip.ratio"]


def test_counting_stops_at_its_bound(monkeypatch):
    monkeypatch.setattr(config_check, "MAX_NET_BYTES", 64 * 1024)
    big = network().replace(b"</net>", b"<!-- " + b"x" * 1024**2 + b"--></net>")
    inspection = check_scenario(zip_of(build({"net.net.xml": gzip.compress(big)})))
    assert inspection.problems == ()
    assert inspection.as_dict()["net"]["complete"] is False


def test_a_gzip_bomb_in_an_input_is_left_at_the_bound():
    bomb = gzip.compress(b"<routes>" + b" " * 30 * 1024**2 + b"</routes>")
    inspection = check_scenario(zip_of(build({"demand.rou.xml": bomb})))
    assert inspection.problems == ()
    assert inspection.as_dict()["demand"]["complete"] is False


def test_any_damage_is_a_problem_and_never_an_error():
    rng = random.Random(3)
    data = zip_of(scenario(), compression=zipfile.ZIP_STORED).getvalue()
    for _ in range(60):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 20)):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        json.dumps(check_scenario(io.BytesIO(damaged)).as_dict())


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


def test_a_thousand_missing_files_are_counted():
    missing = ",".join(f"{n}.xml" for n in range(1000))
    inspection = check_scenario(zip_of(build({"run.sumocfg": config(f'<a v="{missing}"/>')})))
    assert len(inspection.problems) == config_check.MAX_LISTED + 1
    assert inspection.problems[-1].message == "950 more problems are not listed."


def test_the_stored_list_of_inputs_has_an_end():
    many = {f"r{n}.xml": "<routes/>" for n in range(600)}
    inspection = check_scenario(zip_of(build({**many, "run.sumocfg": config(routes=",".join(many))})))
    assert inspection.problems == ()
    assert len(inspection.as_dict()["inputs"]) == config_check.MAX_LISTED_INPUTS
