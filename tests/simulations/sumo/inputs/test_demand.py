"""Warnings at upload about runs that SUMO takes, but in which little or nothing happens."""

import pytest

from tests.simulations.sumo.builders import config, ended_well, hosted_run, network, routes, vehicle, warnings

NEVER = {
    "no route file": ({"run.sumocfg": '<configuration><n v="net.net.xml"/><e v="9"/></configuration>'}, "demand.none"),
    "an empty route file": ({"demand.rou.xml": "<routes/>"}, "demand.none"),
    "only types": ({"demand.rou.xml": routes('<vType id="x"/><route id="r" edges="A0A1"/>')}, "demand.none"),
    "begin after all": (
        {"demand.rou.xml": routes(vehicle("v", 0), vehicle("w", 49)), "run.sumocfg": config('<begin v="50"/>')},
        "demand.before_begin",
    ),
    "flows that are over": (
        {
            "demand.rou.xml": routes('<flow id="f" begin="0" end="40" period="5" from="A0A1" to="A1A2"/>'),
            "run.sumocfg": config('<begin v="50"/>'),
        },
        "demand.before_begin",
    ),
    "end before all": ({"demand.rou.xml": routes(vehicle("v", 100))}, "demand.after_end"),
}


@pytest.mark.parametrize(("changes", "code"), NEVER.values(), ids=NEVER.keys())
def test_nobody_will_drive(changes, code, tmp_path):
    assert [warning.code for warning in warnings(changes)] == [code]
    output = hosted_run(changes, tmp_path)
    assert ended_well(output)
    assert "Inserted: 0" in output


SOMEBODY = {
    "from the begin on": ({"demand.rou.xml": routes(vehicle("v", 50)), "run.sumocfg": config('<begin v="50"/>')}),
    "a flow goes on": (
        {
            "demand.rou.xml": routes('<flow id="f" begin="0" end="90" period="5" from="A0A1" to="A1A2"/>'),
            "run.sumocfg": config('<begin v="50"/>'),
        }
    ),
    "a flow in an additional file": (
        {
            "demand.rou.xml": "<routes/>",
            "a.xml": '<additional><flow id="f" begin="0" number="3" end="9" from="A0A1" to="A1A2"/></additional>',
            "run.sumocfg": config('<a v="a.xml"/>'),
        }
    ),
    "in a file that a route file includes": (
        {"demand.rou.xml": routes('<include href="b.xml"/>'), "b.xml": routes(vehicle("v", 5))}
    ),
}


@pytest.mark.parametrize("changes", SOMEBODY.values(), ids=SOMEBODY.keys())
def test_somebody_will_drive(changes, tmp_path):
    assert warnings(changes) == []
    output = hosted_run(changes, tmp_path)
    assert ended_well(output)
    assert "Inserted: 0" not in output


def test_says_how_many_vehicles_sumo_will_ignore(tmp_path):
    late = [vehicle("v", 5), vehicle("w", 6), '<flow id="f" begin="1" end="9" period="2" from="A0A1" to="A1A2"/>']
    person = '<person id="p" depart="2"><walk edges="A0A1 A1A2"/></person>'
    changes = {"demand.rou.xml": routes(vehicle("u", 10), *late, person, vehicle("x", 20))}
    (warning,) = warnings(changes)
    assert warning.code == "demand.unsorted"
    assert "ignores 4 of its 6 vehicles, persons and flows, the first of them 'v'" in warning.message
    output = hosted_run(changes, tmp_path)
    assert output.count("should be sorted") == 4
    assert "Inserted: 2" in output


def test_lines_of_public_transport_put_nothing_in_order(tmp_path):
    line = '<flow id="{}" line="x" begin="{}" end="60" number="1" from="A0A1" to="A1A2"/>'
    changes = {"demand.rou.xml": routes(line.format("f", 20), line.format("g", 10), vehicle("v", 5))}
    assert warnings(changes) == []
    output = hosted_run(changes, tmp_path / "sound")
    assert "should be sorted" not in output
    changes = {"demand.rou.xml": routes(vehicle("v", 20), line.format("f", 10))}
    assert [warning.code for warning in warnings(changes)] == ["demand.unsorted"]
    assert hosted_run(changes, tmp_path / "late").count("should be sorted") == 1


def test_the_order_in_additional_files_does_not_matter(tmp_path):
    added = f"<additional>{vehicle('v', 10)}{vehicle('w', 5)}</additional>"
    changes = {"demand.rou.xml": "<routes/>", "a.xml": added, "run.sumocfg": config('<a v="a.xml"/>')}
    assert warnings(changes) == []
    assert "Inserted: 2" in hosted_run(changes, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        '<vType id="x" speedFactor="nan"/>',
        '<vType id="x" speedFactor="normc(NaN,0.1,0.2,2)"/>',
        "<vType id='x' accel=' -nan '/>",
        '<vType id="x" maxSpeed="inf"/>',
        '<trip id="t" depart="0" departSpeed="nan" from="A0A1" to="A1A2"/>',
    ],
)
def test_numbers_that_are_none(wrong):
    (warning,) = warnings({"demand.rou.xml": routes(wrong, vehicle("v", 5))})
    assert (warning.code, warning.where) == ("input.not_finite", "demand.rou.xml")


def test_names_may_look_like_such_numbers():
    assert (
        warnings(
            {
                "demand.rou.xml": routes(
                    '<vType id="nan"/>', '<vehicle id="inf" type="nan" depart="0"><route edges="A0A1"/></vehicle>'
                )
            }
        )
        == []
    )


def test_a_number_that_is_none_is_found_across_the_pieces_in_which_a_file_is_read():
    for shift in range(0, 40, 3):
        text = routes(
            f"<!-- {'x' * (64 * 1024 - 50 + shift)} -->",
            '<vType id="x" speedFactor="nan" minGap="2"/>',
            vehicle("v", 5),
        )
        assert len(warnings({"demand.rou.xml": text})) == 1


def test_networks_are_looked_at_too():
    changed = network().replace(b'speed="13.89"', b'speed="nan"', 1)
    assert [warning.code for warning in warnings({"net.net.xml": changed})] == ["input.not_finite"]
