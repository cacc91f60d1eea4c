"""What the real SUMO runs is accepted, what it refuses is refused at upload: both are asked about the same files."""

import gzip

import pytest

from simulations.sumo.inputs.scenario_check import check_scenario
from tests.simulations.sumo.builders import (
    build,
    codes,
    config,
    demand,
    ended_well,
    hosted_run,
    network,
    routes,
    scenario,
    vehicle,
    zip_of,
)

ADDED = '<a v="a.xml"/>'
SAVES = '<save-state.times v="10,20"/><save-state.files v="{}"/>'


def added(*elements):
    return {"a.xml": f"<additional>{''.join(elements)}</additional>", "run.sumocfg": config(ADDED)}


def demand_of(*elements, options="", end=100):
    return {"demand.rou.xml": routes(*elements), "run.sumocfg": config(options, end=end)}


def trip(attributes):
    return f'<trip id="t" depart="0" {attributes}/>'


def walk(attributes):
    return f'<person id="p" depart="0"><walk {attributes}/></person>'


# Codes of what the upload check finds wrong; none where SUMO runs it.
CONFIGURATIONS = {
    "as it is": ({}, []),
    "a configuration named .sumo.cfg": ({"run.sumocfg": None, "run.sumo.cfg": config()}, []),
    "a configuration named .cfg": ({"run.sumocfg": None, "run.cfg": config()}, []),
    "another configuration deeper down": ({"old/run.sumocfg": config(net="gone.xml")}, []),
    "short and flat": (
        {"run.sumocfg": '<configuration><n v="net.net.xml"/><r v="demand.rou.xml"/><e v="0:1:0"/></configuration>'},
        [],
    ),
    "no routes": ({"run.sumocfg": '<configuration><n v="net.net.xml"/><e v="9"/></configuration>'}, []),
    "no network": ({"run.sumocfg": '<configuration><r v="demand.rou.xml"/></configuration>'}, ["config.no_network"]),
    "no XML": ({"run.sumocfg": "net-file = net.net.xml"}, ["config.not_xml_config"]),
    "an unknown option": ({"run.sumocfg": config('<nonsense value="1"/>')}, ["option.unknown"]),
    "an option of another GUI": (
        {"run.sumocfg": config('<gui_only><osg-view value="true"/><start v="1"/></gui_only>')},
        [],
    ),
    "an option twice": ({"run.sumocfg": config('<e value="1"/>')}, ["option.duplicate"]),
    "an end before the begin": ({"run.sumocfg": config('<begin value="200"/>')}, ["option.bad_value"]),
    "a negative begin": ({"run.sumocfg": config('<begin value="-1"/>')}, ["option.bad_value"]),
    "no step": ({"run.sumocfg": config('<step-length value="0"/>')}, ["option.bad_value"]),
    "no number": ({"run.sumocfg": config('<seed value="many"/>')}, ["option.bad_value"]),
    "fewer decimals than none": ({"run.sumocfg": config('<precision v="-1"/>')}, ["option.bad_value"]),
    "no decimals": ({"run.sumocfg": config('<precision v="0"/>')}, []),
    "states into folders": ({"run.sumocfg": config(SAVES.format("s1/a.xml.gz, s2/b%20c.xml"))}, []),
    "fewer states than times": ({"run.sumocfg": config(SAVES.format("a.xml"))}, ["option.bad_value"]),
    "states without times": ({"run.sumocfg": config('<save-state.files v="a.xml"/>')}, ["option.bad_value"]),
}
FILES = {
    "one top folder and macOS clutter": (
        {f"top/{name}": content for name, content in scenario().items()} | {"__MACOSX/top/._run.sumocfg": b"\0"},
        [],
    ),
    "spaces": ({"my net.net.xml": network(), "run.sumocfg": config(net="my net.net.xml")}, []),
    "spaces around": ({"run.sumocfg": config(net=" net.net.xml ")}, []),
    "encoded": ({"my net.net.xml": network(), "run.sumocfg": config(net="my%20net.net.xml")}, []),
    "spaces after commas": (
        {"a.xml": "<additional/>", "b.xml": "<add/>", "run.sumocfg": config('<a v="a.xml, b.xml"/>')},
        [],
    ),
    "semicolons": (
        {"run.sumocfg": config(routes="demand.rou.xml;demand.rou.xml")},
        ["input.missing"],
    ),
    "a comma at the end": ({"run.sumocfg": config(routes="demand.rou.xml,")}, ["input.missing"]),
    "gzip by content": (
        {
            "net.net.xml": gzip.compress(network()),
            "d.gz": gzip.compress(demand()),
            "run.sumocfg": config(routes="d.gz"),
        },
        [],
    ),
    "up but inside": (
        {"run.sumocfg": None, "sub/run.sumocfg": config(net="../net.net.xml", routes="./../sub/../demand.rou.xml")},
        [],
    ),
    "through a folder that is not there": ({"run.sumocfg": config(net="gone/../net.net.xml")}, ["input.missing"]),
    "through an empty folder": ({"empty/": "", "run.sumocfg": config(net="empty/../net.net.xml")}, []),
    "an included file": (added('<include href="b.xml"/>') | {"b.xml": "<x/>"}, []),
    "an included file that is missing": (added('<include href="gone.xml"/>'), ["input.missing"]),
    "a route file includes a missing one": (demand_of('<include href="gone.xml"/>', vehicle("v", 0)), []),
    "a route file includes a broken one": (
        demand_of('<include href="b.xml"/>', vehicle("v", 0)) | {"b.xml": routes(vehicle("w", 0, "nowhere"))},
        [],
    ),
    "another case": ({"run.sumocfg": config(routes="Demand.rou.xml")}, ["input.missing"]),
    "a backslash": ({"sub/d.xml": demand(), "run.sumocfg": config(routes="sub\\d.xml")}, ["input.missing"]),
    "a missing state": ({"run.sumocfg": config('<load-state value="state.xml"/>')}, ["input.missing"]),
    "a missing calibration": (
        added('<calibrator id="c" edge="A0A1" pos="0" file="gone.xml" output="o.xml"/>'),
        ["input.missing"],
    ),
    "missing speeds": (added('<variableSpeedSign id="v" lanes="A0A1_0" file="gone.xml"/>'), ["input.missing"]),
    "a rerouter's file is not read": (added('<rerouter id="r" edges="A0A1" file="gone.xml"/>'), []),
    "outside": ({"run.sumocfg": config(net="../net.net.xml")}, ["input.outside_archive"]),
    "outside, encoded": ({"run.sumocfg": config(net="%2e%2e/net.net.xml")}, ["input.outside_archive"]),
    "absolute": ({"run.sumocfg": config(net="/nowhere/net.net.xml")}, ["input.outside_archive"]),
    "of Windows": ({"run.sumocfg": config(net="C:\\Users\\me\\net.net.xml")}, ["input.outside_archive"]),
    "on the web": ({"run.sumocfg": config(net="http://localhost:9/net.net.xml")}, ["input.outside_archive"]),
    "an include outside": (added('<include href="/nowhere.xml"/>'), ["input.outside_archive"]),
    "not well-formed": ({"net.net.xml": "<net><edge></net>"}, ["input.bad_xml"]),
    "cut": ({"net.net.xml": network()[:3000]}, ["input.bad_xml"]),
    "cut gzip": ({"net.net.xml": gzip.compress(network())[:-100]}, ["input.bad_xml"]),
    "no gzip": ({"net.net.xml": b"\x1f\x8b\x08garbage"}, ["input.bad_xml"]),
    "empty network": ({"net.net.xml": ""}, ["input.bad_xml"]),
    "empty routes": ({"demand.rou.xml": ""}, ["input.bad_xml"]),
    "a pointer of Git LFS": (
        {"net.net.xml": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n"},
        ["input.git_lfs"],
    ),
    "entities": ({"demand.rou.xml": '<!DOCTYPE a [<!ENTITY a "b">]><routes>&a;</routes>'}, ["input.bad_xml"]),
    "demand for a network": ({"net.net.xml": demand()}, ["input.wrong_kind"]),
    "a web page for a network": ({"net.net.xml": "<html><body/></html>"}, ["input.wrong_kind"]),
}
ROUTES = {
    "space around edges": (demand_of(trip('from="A0A1 " to="&#10;A1A2" via=" B0A0 "')), []),
    "space in routes": (demand_of(vehicle("v", 0, "  A0A1&#9; A1A2&#10;")), []),
    "a list of edges to leave from": (demand_of(trip('from="A0A1 A1A2" to="A1A2"')), []),
    "a hard space": (demand_of(trip('from="A0A1&#160;" to="A1A2"')), ["input.unknown_edge"]),
    "commas": (demand_of(vehicle("v", 0, "A0A1,A1A2")), ["input.unknown_edge"]),
    "unknown to": (demand_of(trip('from="A0A1" to="nowhere"')), ["input.unknown_edge"]),
    "unknown via": (demand_of(trip('from="A0A1" to="A1A2" via="nowhere"')), ["input.unknown_edge"]),
    "unknown in a route": (demand_of(vehicle("v", 5, "A0A1 nowhere")), ["input.unknown_edge"]),
    "unknown in a route that nobody takes": (demand_of('<route id="r" edges="nowhere"/>'), ["input.unknown_edge"]),
    "unknown on foot": (demand_of(walk('from="nowhere" to="A0A1"')), ["input.unknown_edge"]),
    "space on foot": (demand_of(walk('from="A0A1 " to=" A1A2"')), []),
    "unknown, and errors are to be ignored": (
        demand_of(trip('from="x" to="A0A1"'), options='<ignore-route-errors v="true"/>'),
        ["input.unknown_edge"],
    ),
    "unknown before the begin": (
        demand_of(vehicle("v", 0, "nowhere"), options='<begin v="50"/>'),
        ["input.unknown_edge"],
    ),
    "unknown behind the end, but first": (demand_of(vehicle("v", 500, "nowhere")), ["input.unknown_edge"]),
    "unknown far behind the end": (
        demand_of(vehicle("u", 0), vehicle("v", 40_000), vehicle("w", 50_000, "nowhere")),
        [],
    ),
    "unknown behind the end, read with the slice": (
        demand_of(vehicle("u", 0), vehicle("v", 1), vehicle("w", 201, "A0A1"), vehicle("x", 202, "nowhere")),
        ["input.unknown_edge"],
    ),
    "unknown behind the slice": (
        demand_of(vehicle("u", 0), vehicle("v", 1), vehicle("w", 201.5), vehicle("x", 203, "nowhere")),
        [],
    ),
    "unknown before the end, never come to": (demand_of(vehicle("u", 99.5), vehicle("v", 99.6, "nowhere")), []),
    "the next slice begins at the end": (
        demand_of(vehicle("u", 0), vehicle("v", 300), vehicle("w", 301, "nowhere"), end=300),
        [],
    ),
    "the next slice begins before the end": (
        demand_of(vehicle("u", 0), vehicle("v", 300), vehicle("w", 301, "nowhere"), end=301),
        ["input.unknown_edge"],
    ),
    "all is read at once": (
        demand_of(vehicle("u", 0), vehicle("v", 300), vehicle("w", 301, "nowhere"), options='<route-steps v="0"/>'),
        ["input.unknown_edge"],
    ),
    "no end": (
        demand_of(vehicle("u", 0), vehicle("v", 300), vehicle("w", 900, "nowhere"), end=None),
        ["input.unknown_edge"],
    ),
    "lines of public transport do not end a slice": (
        demand_of('<flow id="f" line="x" begin="400" number="1" from="A0A1" to="A1A2"/>', vehicle("w", 401, "nowhere")),
        ["input.unknown_edge"],
    ),
    "additional files are read at once": (
        added(vehicle("v", 900), vehicle("w", 901, "nowhere")),
        ["input.unknown_edge"],
    ),
    "a vehicle out of order": (demand_of(vehicle("u", 10), vehicle("v", 5)), []),
    "departures of every kind": (
        demand_of(vehicle("u", "0:0:5"), vehicle("v", " 6"), vehicle("w", "now"), vehicle("x", "triggered")),
        [],
    ),
    "no departure": (demand_of('<vehicle id="v"><route edges="A0A1"/></vehicle>'), ["input.bad_departure"]),
    "departs soon": (demand_of(vehicle("v", "soon")), ["input.bad_departure"]),
    "departs with a comma": (demand_of(vehicle("v", "1,5")), ["input.bad_departure"]),
    "departs with a space": (demand_of(vehicle("v", "5 ")), ["input.bad_departure"]),
    "departs before all time": (demand_of(vehicle("v", -1)), ["input.bad_departure"]),
    "departs after all time": (demand_of(vehicle("v", "1e30")), ["input.bad_departure"]),
    "departs at no number": (demand_of(vehicle("v", "nan")), ["input.bad_departure"]),
    "departs wrongly where nobody reads": (
        demand_of(vehicle("u", 0), vehicle("v", 500), vehicle("w", "soon")),
        [],
    ),
    "a stop twice, in a route file": (
        added('<busStop id="s" lane="A0A1_0" endPos="20"/>')
        | {"demand.rou.xml": routes('<busStop id="s" lane="A0A1_0" endPos="20"/>', vehicle("v", 0))},
        [],
    ),
}
TABLES = {"configuration": CONFIGURATIONS, "files": FILES, "routes": ROUTES}
CASES = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}


@pytest.mark.parametrize(("changes", "wrong"), CASES.values(), ids=CASES.keys())
def test_the_upload_check_and_sumo_agree(changes, wrong, tmp_path):
    inspection = check_scenario(zip_of(build(changes)))
    assert [problem.code for problem in inspection.problems] == wrong
    output = hosted_run(changes, tmp_path / "scenario", inspection.config)
    assert ended_well(output) is (wrong == []), output


@pytest.mark.parametrize("content", [config(), network()], ids=["a configuration", "a network"])
def test_refuses_a_plain_mistake_that_sumo_would_run_as_an_empty_simulation(content):
    assert codes({"demand.rou.xml": content}) == ["input.wrong_kind"]
