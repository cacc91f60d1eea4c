import pytest

from simulations.sumo.inputs import option_table, options, sumocfg
from simulations.sumo.inputs.options import ALLOWED, ALWAYS_WRITTEN, OUTPUTS, check_request, request_overrides
from simulations.sumo.protocol.problems import MAX_LISTED
from tests.simulations.sumo.builders import config, run_sumo, scenario


def codes(**request):
    return [problem.code for problem in check_request(**request)]


def test_an_option_is_found_by_each_of_its_names():
    option_table._by_any_name.cache_clear()  # whoever asked first
    found = option_table.find("begin")
    assert found == option_table.find("b") == option_table.OptionInfo("begin", "time", "TIME")
    assert option_table.find("BEGIN") is None


def test_nothing_asked_is_fine():
    assert codes() == []
    assert codes(options={}, outputs=[], begin=None) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scale", 0.5),
        ("scale", 2),
        ("time-to-teleport", -1),
        ("time-to-teleport.highways", 0),
        ("max-num-teleports", 10),
        ("ignore-route-errors", True),
        ("collision.action", "warn"),
        ("routing-algorithm", "CH"),
        ("device.rerouting.probability", 1),
        ("fcd-output.attributes", "x, y,speed"),
    ],
)
def test_allowed_options(name, value):
    assert codes(options={name: value}) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("scale", "2", "option.bad_value"),
        ("scale", True, "option.bad_value"),
        ("scale", -1, "option.bad_value"),
        ("scale", None, "option.bad_value"),
        ("scale", float("nan"), "option.bad_value"),
        ("scale", float("inf"), "option.bad_value"),
        pytest.param("scale", 10**400, "option.bad_value", id="scale-huge"),
        ("scale", [1], "option.bad_value"),
        ("max-num-teleports", 1.5, "option.bad_value"),
        ("ignore-route-errors", 1, "option.bad_value"),
        ("ignore-route-errors", "true", "option.bad_value"),
        ("collision.action", "explode", "option.bad_value"),
        ("collision.action", ["warn"], "option.bad_value"),
        ("device.rerouting.probability", 1.1, "option.bad_value"),
        ("fcd-output.attributes", "x,${HOME}", "option.bad_value"),
        ("fcd-output.attributes", "", "option.bad_value"),
        ("step-length", 0, "option.bad_value"),
        ("remote-port", 8813, "option.denied"),
        ("num-clients", 1, "option.denied"),
        ("c", "other.sumocfg", "option.denied"),
        ("configuration-file", "other.sumocfg", "option.denied"),
        ("save-state.times", "5", "option.not_allowed"),
        ("save-template", "x", "option.denied"),
        ("log", "x", "option.denied"),
        ("random", True, "option.denied"),
        ("gui-settings-file", "x", "option.denied"),
        ("net-file", "/etc/passwd", "option.not_allowed"),
        ("nonsense", 1, "option.not_allowed"),
        ("", 1, "option.not_allowed"),
    ],
)
def test_refused_options(name, value, code):
    problems = check_request(options={name: value})
    assert [problem.code for problem in problems] == [code]
    assert problems[0].where == f"options.{name}"


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("no-such", "SUMO has no option 'no-such'.", "/docs lists"),
        ("net-file", "'net-file' cannot be set on a job.", ".sumocfg"),
        ("seed", "set by the hosted run itself", "field 'seed'"),
        ("begin", "not given in 'options'", "field 'begin'"),
        ("edgedata-output", "not given in 'options'", '"outputs": ["edgedata"]'),
    ],
)
def test_a_refused_option_says_where_it_belongs(name, message, hint):
    (problem,) = check_request(options={name: 1})
    assert message in problem.message
    assert hint in problem.hint


def test_near_misses_are_named():
    assert check_request(options={"time_to_teleport": 1})[0].hint == "Did you mean 'time-to-teleport'?"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"begin": 10, "end": 20, "step_length": 0.1, "scale": 2, "seed": 5}, []),
        ({"begin": 20, "end": 10}, ["option.bad_value"]),
        ({"begin": 10, "end": 10}, ["option.bad_value"]),
        ({"begin": -1}, ["option.bad_value"]),
        ({"end": "08:00:00"}, ["option.bad_value"]),
        ({"seed": 2**31}, ["option.bad_value"]),
        ({"seed": 1.5}, ["option.bad_value"]),
        ({"seed": -1}, ["option.bad_value"]),
        ({"step_length": 0, "scale": "x"}, ["option.bad_value"] * 2),
        ({"scale": 1, "options": {"scale": 1}}, ["option.conflict"]),
        ({"step_length": 1, "options": {"step-length": 1}}, ["option.conflict"]),
        ({"options": ["scale"]}, ["option.bad_value"]),
        ({"outputs": "fcd"}, ["output.unknown"]),
        ({"outputs": ["fcd", "everything", 3, None, ["fcd"]]}, ["output.unknown"] * 4),
        ({"outputs": ["tripinfo", "fcd", "fcd", "edgedata"]}, []),
    ],
)
def test_fields_and_outputs(request_, expected):
    assert codes(**request_) == expected


def test_everything_wrong_is_listed_at_once():
    problems = check_request(options={"scale": -1, "log": "x", "what": 1}, outputs=["no"], begin=-1)
    assert [problem.where for problem in problems] == [
        "begin",
        "options.scale",
        "options.log",
        "options.what",
        "outputs[0]",
    ]


def test_only_what_is_listed_is_searched_for_what_was_meant(monkeypatch):
    asked = []
    monkeypatch.setattr(options.difflib, "get_close_matches", lambda name, *_: asked.append(name) or ["scale"])
    check_request(options={"x" * 60: 1} | {f"o{n}": 1 for n in range(1000)})
    assert asked == [f"o{n}" for n in range(MAX_LISTED - 1)]


def test_every_allowed_option_and_output_is_one_of_sumo_s():
    for name in [*ALLOWED, *(output.option for output in OUTPUTS.values())]:
        assert name in option_table.names()


@pytest.mark.parametrize(("name", "rule"), ALLOWED.items())
def test_bounds_and_choices_are_values_sumo_takes(name, rule):
    option = option_table.find(name)
    assert option is not None
    samples = {"bool": [True], "choice": rule.choices, "names": ["x,y"]}.get(rule.type, [rule.minimum, rule.maximum])
    for value in samples:
        value = int(value) if rule.type == "int" else value
        assert rule.problem(value) is None
        assert sumocfg.value_problem(option, sumocfg.as_text(value)) is None


def test_the_request_becomes_overrides():
    overrides = request_overrides(
        options={"collision.action": "warn"},
        outputs=["edgedata", "fcd", "tripinfo"],
        emissions=True,
        output_dir="/out",
        seed=3,
        end=20.0,
        scale=2,
    )
    assert overrides == {
        "collision.action": "warn",
        "end": 20.0,
        "scale": 2,
        "seed": 3,
        "device.emissions.probability": 1,
        "edgedata-output": "/out/edgedata.xml",
        "fcd-output": "/out/fcd.parquet",
        "output.compression": "zstd",
    }
    plain = request_overrides(options={}, outputs=["tripinfo"], emissions=False, output_dir="/out", seed=3)
    assert plain == {"seed": 3}
    assert [OUTPUTS[name].artifact for name in ("edgedata", "fcd")] == ["edgedata.xml.gz", "fcd.parquet"]


def test_sumo_runs_a_request_with_every_option_and_output(tmp_path):
    for name, content in scenario().items():
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    wishes = {
        "time-to-teleport": 100,
        "time-to-teleport.highways": 0,
        "max-num-teleports": 100,
        "max-depart-delay": 60.5,
        "ignore-route-errors": True,
        "collision.action": "warn",
        "lateral-resolution": 0.8,
        "step-method.ballistic": True,
        "random-depart-offset": 5,
        "default.speeddev": 0.1,
        "default.action-step-length": 1,
        "routing-algorithm": "astar",
        "device.rerouting.probability": 0.5,
        "device.rerouting.period": 30,
        "pedestrian.model": "nonInteracting",
        "weights.random-factor": 1.5,
        "tripinfo-output.write-unfinished": True,
        "device.fcd.period": 5,
        "fcd-output.attributes": "x,y,speed",
    }
    assert check_request(options=wishes, outputs=list(OUTPUTS), end=40, scale=2, step_length=0.5, seed=1) == []
    overrides = request_overrides(
        options=wishes,
        outputs=list(OUTPUTS),
        emissions=True,
        output_dir=str(tmp_path),
        seed=1,
        begin=0,
        end=40,
        step_length=0.5,
        scale=2,
    )
    (tmp_path / "effective.sumocfg").write_bytes(sumocfg.effective(sumocfg.read(config().encode()), overrides))
    code, output = run_sumo(tmp_path, "effective.sumocfg")
    assert code == 0, output
    assert "Error" not in output
    written = {output.file for output in OUTPUTS.values() if (tmp_path / output.file).exists()}
    assert written >= {output.file for output in OUTPUTS.values()} - {"personinfo.xml"}  # no persons, no file
    assert (tmp_path / "fcd.parquet").read_bytes()[-4:] == b"PAR1"


def test_outputs_that_are_always_there_are_no_options():
    assert not ALWAYS_WRITTEN & OUTPUTS.keys()
