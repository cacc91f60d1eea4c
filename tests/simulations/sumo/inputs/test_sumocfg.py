import subprocess

import pytest

from simulations.sumo.inputs import config_rules, option_table, sumocfg
from simulations.sumo.protocol.problems import MORE, InvalidScenario
from tests.simulations.sumo.builders import config, run_sumo, scenario, sumo_environment, sumo_home


def problems(text):
    with pytest.raises(InvalidScenario) as raised:
        sumocfg.read(text.encode(), "run.sumocfg")
    return raised.value.problems


def test_reads_options_by_canonical_name():
    read = sumocfg.read(
        b"""<?xml version="1.0" encoding="iso-8859-1"?>
        <configuration xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
            <!-- in a section, flat, short, as a synonym, with v= and as text -->
            <input><net value="a b.net.xml"/><r v=" x.rou.xml, y z.rou.xml ,u.xml"/></input>
            <b value="1:00:00"/>
            <e>7200</e>
            <statistics-output value="stats.xml"/>
            <step-length value="0.5"/>
            <tripinfo-output value=""/>
        </configuration>"""
    )
    assert read.options == {
        "net-file": "a b.net.xml",
        "route-files": " x.rou.xml, y z.rou.xml ,u.xml",
        "begin": "1:00:00",
        "end": "7200",
        "statistic-output": "stats.xml",
        "step-length": "0.5",
    }
    assert read.files("route-files") == ["x.rou.xml", "y z.rou.xml", "u.xml"]
    assert read.files("additional-files") == []
    assert (read.begin, read.end, read.step_length) == (3600, 7200, 0.5)


def test_defaults_are_those_of_sumo():
    read = sumocfg.read(b"<sumoConfiguration/>")
    assert (read.begin, read.end, read.step_length) == (0, None, 1)
    assert sumocfg.read(b'<sumoConfiguration><end value="-1"/></sumoConfiguration>').end is None


def test_reads_a_file_and_utf_16(tmp_path):
    path = tmp_path / "run.sumocfg"
    path.write_bytes(
        '<?xml version="1.0" encoding="utf-16"?><configuration><n v="ü.xml"/></configuration>'.encode("utf-16")
    )
    assert sumocfg.read(path).options == {"net-file": "ü.xml"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("000", 0),
        ("61200.00", 61200),
        ("61200.", 61200),
        ("1e2", 100),
        ("-1", -1),
        (" 5", 5),
        ("00:00:05.5", 5.5),
        ("08:30:00", 30600),
        ("1:0:0:1", 86401),
        ("-0:01:00", -60),
    ],
)
def test_times(text, seconds):
    assert sumocfg.parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "abc", "1:2", "1:2:3:4:5", "100s", "5 ", "inf", "nan", "1_0", "0.5.1", "1 :0:0", "1:x:2"),
        *("9.3e15", "-9.3e15", "1e308:0:0", "-1e308:0:0", "1e308:-1e308:0"),  # beyond SUMO's, infinite, no number
    ],
)
def test_what_is_no_time(text):
    with pytest.raises(ValueError):
        sumocfg.parse_time(text)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("", ["config.not_xml_config"]),
        ("hello", ["config.not_xml_config"]),
        ("<configuration><input></configuration>", ["config.not_xml_config"]),
        ("<net/>", ["config.not_xml_config"]),
        ("<html><body>404</body></html>", ["config.not_xml_config"]),
        ("<!DOCTYPE a><configuration/>", ["config.not_xml_config"]),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><configuration>&x;</configuration>',
            ["config.not_xml_config"],
        ),
        ("<configuration>&x;</configuration>", ["config.not_xml_config"]),
        ("<configuration>" + "<a>" * 200 + "</a>" * 200 + "</configuration>", ["config.not_xml_config"]),
        (f"<configuration>{' ' * 2 * 1024**2}</configuration>", ["config.not_xml_config"]),
        ('<?xml version="1.0" encoding="klingon"?><configuration/>', ["config.not_xml_config"]),
        ('<configuration><nett-file value="a"/></configuration>', ["option.unknown"]),
        ('<configuration><Net-File value="a"/></configuration>', ["option.unknown"]),
        ('<configuration><end value="1"/><time><e value="2"/></time></configuration>', ["option.duplicate"]),
        ('<configuration><n value="a" v="b"/></configuration>', ["option.duplicate"]),
        ('<configuration><end value="soon"/><b value="1:2"/></configuration>', ["option.bad_value"] * 2),
        (
            '<configuration><scale value="1,5"/><max-num-teleports value="1.5"/></configuration>',
            ["option.bad_value"] * 2,
        ),
        ('<configuration><ignore-route-errors value="maybe"/><e value="x"/></configuration>', ["option.bad_value"] * 2),
        (
            "<configuration>" + '<x1 value="1"/>' * 500 + "</configuration>",
            ["option.unknown"] * sumocfg.MAX_LISTED + [MORE],
        ),
    ],
)
def test_what_is_wrong_with_a_configuration(text, codes):
    assert [problem.code for problem in problems(text)] == codes


def test_an_unknown_option_has_a_hint_and_a_place():
    (problem,) = problems('<configuration><Net-File value="a"/></configuration>')
    assert problem.where == "run.sumocfg"
    assert problem.hint == "Did you mean 'net-file'?"


@pytest.mark.parametrize(
    "attempt", [b"<a>" * 500_000, b"<configuration>" + b"&amp;" * 200_000, b'<a b="' + b"x" * 900_000]
)
def test_hostile_xml_is_refused(attempt):
    with pytest.raises(InvalidScenario):
        sumocfg.read(attempt)


def test_effective_drops_what_the_run_sets_itself_and_gui_options():
    text = config(
        """<output><summary value="s.xml"/><queue-output value="t &amp; u.xml"/><output-prefix value="TIME_"/></output>
        <tripinfo value="t.xml"/>
        <report><log value="l.txt"/><verbose value="true"/><W value="true"/></report><random value="true"/>
        <gui_only><gui-settings-file value="missing.xml"/><start value="true"/></gui_only><remote-port value="0"/>"""
    )
    effective = sumocfg.read(sumocfg.effective(sumocfg.read(text.encode()), {"seed": 7, "end": 50.0, "verbose": True}))
    assert effective.options == {
        "net-file": "net.net.xml",
        "route-files": "demand.rou.xml",
        "end": "50.0",
        "queue-output": "t & u.xml",
        "no-warnings": "true",
        "seed": "7",
        "verbose": "true",
    }


def test_options_of_another_gui_are_left_out_and_told():
    text = config('<osg-view value="true"/><gui_only><brand-new value="1"/><start value="1"/></gui_only>')
    read = sumocfg.read(text.encode())
    assert read.left_out == ("osg-view", "brand-new")
    assert sumocfg.read(sumocfg.effective(read, {})).options.keys() == {"net-file", "route-files", "end"}
    assert [each.code for each in problems(config('<gui_only/><time><brand-new value="1"/></time>'))] == [
        "option.unknown"
    ]


def test_effective_refuses_overrides_that_sumo_does_not_know():
    with pytest.raises(ValueError):
        sumocfg.effective(sumocfg.read(config().encode()), {"nonsense": 1})
    with pytest.raises(ValueError):
        sumocfg.effective(sumocfg.read(config().encode()), {"e": 1})


def test_sumo_runs_the_effective_configuration(tmp_path):
    for name, content in scenario().items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    odd = '<gui_only><g value="missing.xml"/></gui_only><log value="no/such/folder/log.txt"/><language value="xx"/>'
    (tmp_path / "run.sumocfg").write_text(config(odd))
    assert run_sumo(tmp_path, "run.sumocfg")[0] != 0
    effective = sumocfg.effective(sumocfg.read(tmp_path / "run.sumocfg"), {"seed": 1, "verbose": True, "end": 20.0})
    (tmp_path / ".run.sumocfg").write_bytes(effective)
    code, output = run_sumo(tmp_path, ".run.sumocfg")
    assert code == 0
    assert "Simulation ended at time: 20.00" in output


def test_the_table_of_options_is_that_of_the_installed_sumo(tmp_path):
    template = tmp_path / "template.xml"
    subprocess.run(
        [sumo_home() / "bin" / "sumo", "--save-template", template], check=True, env=sumo_environment(), timeout=60
    )
    # `--save-template` escapes too little to be XML.
    rows = [line.split('"') for line in template.read_text().splitlines() if " type=" in line]
    written = {row[0].split("<")[1].split()[0]: row for row in rows}
    assert sorted(written) == option_table.names()
    for name, row in written.items():
        known = option_table.find(name)
        assert known is not None
        assert known.type == row[row.index(" type=") + 1]
        if " synonymes=" in row:
            assert all(option_table.find(other) == known for other in row[row.index(" synonymes=") + 1].split())


def test_the_rules_speak_of_real_options():
    for name in (
        config_rules.TAKEN_OVER | config_rules.REFUSED.keys() | config_rules.INPUTS.keys() | config_rules.TEXT_OUTPUTS
    ):
        assert name in option_table.names()
