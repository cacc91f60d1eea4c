"""However hostile an upload, its check ends within its CPU time and its answer stays small."""

import gzip
import io
import itertools
import json
import random
import time
import zipfile

import pytest

from simulations.sumo.inputs import config_check, config_rules, input_files, input_scan, scenario_check, xmlscan
from simulations.sumo.inputs.archive import ArchiveLimits
from simulations.sumo.inputs.cpu_budget import CheckTooLong, CpuBudget
from simulations.sumo.inputs.demand import MAX_MISTAKES, DemandReader
from simulations.sumo.inputs.scenario_check import MAX_CANDIDATES, check_config_choice, check_scenario
from simulations.sumo.inputs.sumocfg import read
from simulations.sumo.protocol.problems import MAX_LISTED
from tests.simulations.sumo.builders import build, codes, config, network, routes, scenario, zip_of


def test_a_bomb_is_not_unpacked_to_look_at_it():
    assert codes({"net.net.xml": b"<net>" + b" " * 150 * 1024**2}, limits=ArchiveLimits(ratio=50)) == ["zip.ratio"]


def test_counting_stops_at_its_bound(monkeypatch):
    monkeypatch.setattr(input_files, "MAX_NET_BYTES", 64 * 1024)
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


def test_a_thousand_missing_files_are_counted():
    missing = ",".join(f"{n}.xml" for n in range(1000))
    inspection = check_scenario(zip_of(build({"run.sumocfg": config(f'<a v="{missing}"/>')})))
    assert len(inspection.problems) == MAX_LISTED + 1
    assert inspection.problems[-1].message == "950 more problems are not listed."


def test_the_stored_list_of_inputs_has_an_end():
    many = {f"r{n}.xml": "<routes/>" for n in range(600)}
    inspection = check_scenario(zip_of(build({**many, "run.sumocfg": config(routes=",".join(many))})))
    assert inspection.problems == ()
    assert len(inspection.as_dict()["inputs"]) == config_check.MAX_LISTED_INPUTS


class Steps:
    """A clock that goes on by one with each look at it."""

    def __init__(self):
        self.now = 0

    def __call__(self):
        self.now += 1
        return self.now


def test_a_budget_ends_and_looking_ends_before_it():
    budget = CpuBudget(10, clock=Steps())
    looked = [budget.may_look() for _ in range(10)]
    assert looked == [True] * 6 + [False] * 4
    with pytest.raises(CheckTooLong):
        budget.check()


def flat(body):
    return f'<configuration><n v="net.net.xml"/><r v="demand.rou.xml"/>{body}</configuration>'


HOSTILE = {
    "line breaks": lambda n: "\n" * 10 * n,
    "entities": lambda n: f"<a>{'&amp;' * 2 * n}</a>",
    "near misses": lambda n: "".join(f'<device.rerouting.probabilit{each} v="1"/>' for each in range(n // 4)),
    "one option many times": lambda n: '<e v="1"/>' * n,
    "a long value": lambda n: f'<e v="{"x" * 10 * n}"/>',
    "many missing files": lambda n: f'<a v="{",".join(map(str, range(n)))}"/>',
    "many outputs": lambda n: f'<device.toc.file v="{",".join(f"h{each}:1" for each in range(n))}"/>',
}


@pytest.mark.unmeasured
@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_twice_the_configuration_takes_about_twice_as_long(body):
    """A quadratic step takes four times as long; the bound is loose, because CPU time varies."""

    def cpu_s(size):
        packed = zip_of(build({"run.sumocfg": flat(body(size))}))
        best = float("inf")
        for _ in range(3):
            started = time.thread_time()
            answer = check_scenario(packed, cpu_s=60).as_dict()
            best = min(best, time.thread_time() - started)
            assert len(json.dumps(answer)) < 64 * 1024
        return best

    assert cpu_s(30_000) < 3.5 * cpu_s(15_000) + 0.05


@pytest.mark.parametrize("option", ["begin", "end", "step-length", "route-steps"])
@pytest.mark.parametrize("time", ["1e308:00:00", "-1e308:00:00", "9.3e15"])
def test_a_time_beyond_all_numbers_is_refused_and_can_be_stored(option, time):
    body = config(f'<{option} value="{time}"/>', end=None)
    inspection = check_scenario(zip_of(build({"run.sumocfg": body})))
    assert [problem.code for problem in inspection.problems] == ["option.bad_value"]
    json.dumps(inspection.as_dict(), allow_nan=False)


def test_more_files_than_an_option_may_name_are_one_problem():
    body = HOSTILE["many missing files"](config_rules.MAX_FILES_NAMED + 1)
    inspection = check_scenario(zip_of(build({"run.sumocfg": flat(body)})))
    assert [problem.code for problem in inspection.configs["run.sumocfg"].problems] == ["option.too_many_files"]


def test_many_hostile_configurations_end_with_the_budget():
    """Each is told that there was no time for it; the one that was chosen comes first."""
    members = {f"d/{n}.sumocfg": flat(HOSTILE["near misses"](30_000)) for n in range(40)}
    inspection = check_scenario(zip_of(build(members)), cpu_s=0.25)
    assert inspection.config == "run.sumocfg"
    assert inspection.problems == ()
    assert len(inspection.configs) == 41
    last = inspection.configs["d/9.sumocfg"]
    assert [problem.code for problem in last.problems] == ["upload.check_too_long"]
    stored = json.loads(json.dumps(inspection.as_dict()))
    assert check_config_choice(stored, "d/9.sumocfg")[0].code == "upload.check_too_long"
    assert len(json.dumps(stored)) < 128 * 1024


def test_what_there_was_no_time_to_look_into_is_no_mistake(monkeypatch):
    """By a clock that goes on with each look at it: however fast the machine, half of the demand is left."""
    monkeypatch.setattr(scenario_check, "CpuBudget", lambda seconds: CpuBudget(seconds, clock=Steps()))
    inspection = check_scenario(zip_of(build({"demand.rou.xml": routes("<a/>" * 400_000)})), cpu_s=50)
    assert inspection.problems == ()
    assert [warning.code for warning in inspection.warnings] == ["upload.check_too_long"]
    assert inspection.as_dict()["demand"]["complete"] is False


def test_no_time_for_the_chosen_configuration_is_a_problem():
    (problem,) = check_scenario(zip_of(scenario()), cpu_s=0).problems
    assert problem.code == "upload.check_too_long"
    assert problem.where == "run.sumocfg"


def test_only_so_many_configurations_are_looked_at():
    many = {f"d/{n:03}.sumocfg": config() for n in range(60)}
    inspection = check_scenario(zip_of(build(many)))
    assert len(inspection.configs) == MAX_CANDIDATES
    assert [warning.code for warning in inspection.warnings] == ["config.too_many"]
    assert check_scenario(zip_of(build(many)), config="d/059.sumocfg").config == "d/059.sumocfg"


def test_an_encoded_nul_in_a_name_can_be_stored():
    (problem,) = check_scenario(zip_of(build({"run.sumocfg": config(net="a%00b")}))).problems
    assert problem.code == "input.missing"
    assert "\0" not in json.loads(json.dumps(problem.as_dict()))["message"]


def test_what_others_would_run_is_kept_in_short():
    options = "".join(f'<x{n} v="1"/>' for n in range(30))
    stored = check_scenario(zip_of(build({"d/b.sumocfg": config(options)}))).as_dict()
    assert len(stored["configs"]["d/b.sumocfg"]["problems"]) == config_check.MAX_OTHERS_LISTED
    with pytest.raises(Exception, match="SUMO has no option 'x0'"):
        read(config(options).encode())


def test_many_parts_of_gzip_in_a_file_take_their_time_and_no_more():
    bomb = gzip.compress(b"") * 20_000
    assert codes({"demand.rou.xml": bomb}) == ["input.bad_xml"]


def test_what_is_held_of_a_network_is_bounded(monkeypatch):
    monkeypatch.setattr(input_scan, "MAX_NET_EDGES", 1)
    net = b'<net><edge id="a"/><edge id="b"/><tlLogic id="x"/><tlLogic id="y"/></net>'
    found = input_scan.scan([net], "n.xml", "net", limit=10**6)
    assert (found.edges, found.complete) == ({"a"}, False)
    assert (found.counts["edges"], found.counts["traffic_lights"]) == (2, 1)


def test_mistakes_in_the_demand_are_listed_up_to_a_bound():
    reader = DemandReader(in_slices=True)
    for number in range(MAX_MISTAKES + 5):
        reader.departing("vehicle", {"id": f"v{number}"})
    assert [sentence for _, sentence in reader.demand.mistakes] == [
        f"The vehicle 'v{number}' has no departure." for number in range(MAX_MISTAKES)
    ]
    assert reader.demand.counts["vehicles"] == MAX_MISTAKES + 5


def test_a_tag_without_an_end_is_left_at_its_bound(monkeypatch):
    monkeypatch.setattr(xmlscan, "MAX_TAG_BYTES", 1024**2)
    endless = itertools.chain([b'<a b="'], itertools.repeat(b"x" * xmlscan.CHUNK))
    with pytest.raises(xmlscan.XmlError, match="holds a tag of more than 1 MiB"):
        xmlscan.scan(endless, lambda *_: None, limit=2**63)
