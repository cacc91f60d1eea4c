"""Routes that jump, in files as they lie in the pod's folder."""

from pathlib import Path

import pytest

from simulations.sumo.inputs import connectivity, sumocfg
from tests.simulations.sumo.builders import config, routes, vehicle

NET = '<net><edge id="a"/><connection from="a" to="b"/><connection from="b" to="c"/></net>'


def jumps(folder: Path, *files: str, net: str = NET) -> list[tuple[str, str | None]]:
    (folder / "my net.xml").write_text(net)
    names = [f"{number}.rou.xml" for number in range(len(files))]
    for name, text in zip(names, files, strict=True):
        (folder / name).write_text(text)
    read = sumocfg.read(config(net="my%20net.xml", routes=",".join(names)).encode())
    return [(problem.message, problem.where) for problem in connectivity.check(folder, read)]


def test_each_route_is_told_by_its_own_name_or_its_vehicles_with_its_first_jump(tmp_path: Path) -> None:
    first = routes(vehicle("fine", 0, "a b c"), vehicle("one edge", 0, "c"), vehicle("v", 0, "a b a c"))
    second = routes('<route id="r" edges="c a"/>', vehicle("none", 0, ""))
    assert jumps(tmp_path, first, second) == [
        ("The route of 'v' goes from edge 'b' to 'a' without a connection.", "0.rou.xml"),
        ("The route of 'r' goes from edge 'c' to 'a' without a connection.", "1.rou.xml"),
    ]


def test_it_says_what_it_found_until_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    wrong = routes(vehicle("v", 0, "b a"))
    assert len(jumps(tmp_path, wrong, "<routes", wrong)) == 1
    assert jumps(tmp_path, wrong, net="<net>") == []


def test_it_is_bounded_in_time_and_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = routes(*(vehicle(f"v{number}", 0, "b a") for number in range(connectivity.LISTED + 5)))
    assert len(jumps(tmp_path, many)) == connectivity.LISTED
    monkeypatch.setattr(connectivity, "MAX_S", -1.0)
    assert jumps(tmp_path, many) == []
