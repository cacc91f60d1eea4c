"""A scenario at a glance: what is drawn of it, when its vehicles depart, and what tells two versions apart."""

import io
import itertools
import zipfile

import pytest

from simulations.sumo.inputs import profile as profile_module
from simulations.sumo.inputs.archive import ArchiveLimits
from simulations.sumo.inputs.profile import changes, profile
from tests.simulations.scenarios import archive

INPUTS = [{"path": "net.net.xml", "kind": "net"}, {"path": "demand.rou.xml", "kind": "routes"}]

INTERNAL = " function='internal'"


def made(routes: str = "", net: str = "", clock=lambda: 0.0):
    extra = {"demand.rou.xml": f"<routes>{routes}</routes>".encode()} if routes else {}
    extra |= {"net.net.xml": f"<net>{net}</net>".encode()} if net else {}
    content = archive() if not extra else _with(extra)
    return profile(io.BytesIO(content), INPUTS, begin=60, end=180, limits=ArchiveLimits(), cpu_s=1.0, clock=clock)


def _with(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def test_the_network_fits_its_picture() -> None:
    lanes = [("a", "0,0 100,0"), ("back", "100,0 0,0"), ("b", "100,0 100,50"), (":in", "0,0 1,1")]
    edges = "".join(
        f'<edge id="{name}"{INTERNAL if name[0] == ":" else ""}>'
        f'<lane id="{name}_0" shape="{shape}"/><lane id="{name}_1" shape="{shape}"/></edge>'
        for name, shape in lanes
    )
    network = made(net=edges)["network"]
    assert (network["width"], network["height"], network["complete"]) == (600, 300, True)
    assert sorted(network["path"].split("M")[1:]) == ["0 300L600 300", "600 0L600 300"]  # there and back is one line


def edge(shape: str) -> str:
    return f'<edge id="e"><lane id="l" shape="{shape}"/></edge>'


@pytest.mark.parametrize(
    ("shapes", "path"),
    [
        (["0,0 1,0 2,0 3,0 4,0 5,0 6,0"], "M0 0L200 0L400 0L600 0"),  # thinned
        (["0,0 600,0", "9,0 9.2,0.1"], "M0 0L600 0"),  # shorter than a dot
        (["0,0 600,0", "0,0 nan,1", "0,0 1", "", "5,5"], "M0 0L600 0"),  # no lines
        (["0,0 600,0", "1e308,0 -1e308,0", "0,1e308 0,-1e308"], "M0 0L600 0"),  # farther apart than a number tells
        (["1e-320,0 0,0"], ""),
    ],
)
def test_what_is_drawn_of_an_edge(shapes: list[str], path: str) -> None:
    assert made(net="".join(map(edge, shapes)))["network"]["path"] == path


def test_what_is_beyond_its_bounds_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound, most in (("MAX_EDGES", 1), ("MAX_MINUTES", 2), ("MAX_FILES", 1)):
        monkeypatch.setattr(profile_module, bound, most)
    found = made(
        "".join(f'<vehicle depart="{60 * minute}"/>' for minute in (0, 0, 1, 2, 1)), edge("0,0 1,0") + edge("0,0 0,9")
    )
    assert found["network"] == {"width": 600, "height": 0, "path": "M0 0L600 0", "complete": False}
    assert found["departures"]["counts"] == [2, 2]
    assert found["files"] is None


@pytest.mark.parametrize(
    ("routes", "hourly"),
    [
        ('<vehicle depart="0"/><trip depart="90"/><vehicle depart="triggered"/>', [1, 1]),
        ('<flow begin="0" end="120" number="10"/>', [5, 5]),
        ('<flow begin="0" end="120" vehsPerHour="60"/>', [1, 1]),
        ('<flow begin="30" end="90" period="10"/>', [3, 3]),
        ('<flow begin="0" end="60" period="exp(0.5)"/>', [30]),
        ('<flow begin="0" end="60" probability="0.1"/>', [6]),
        (
            '<flow begin="0" end="1e12" number="5"/><vehicle depart="nan"/><flow begin="0" end="60" number="1e99"/>',
            None,
        ),
        ('<vehicle depart="-5"/><flow begin="0" end="60" period="0"/><flow begin="0" end="60"/>', None),
        *((f'<flow begin="0" end="60" period="exp({rate})"/>', None) for rate in ("0", "-1", "inf", "nan", "")),
        ('<flow begin="60" end="60" number="3"/>', [3]),
        ('<flow begin="0" number="10" period="12"/>', [5, 5]),  # it ends when all are sent
        ('<flow begin="0" number="6" perHour="180"/>', [3, 3]),
        ('<flow period="6"/>', [10, 10]),  # as long as the run
        ('<flow begin="120" probability="0.5"/>', [30]),
        ('<flow begin="0" perHour="0"/><flow begin="0" number="3" period="0"/>', None),
        (f'<vehicle depart="0"/><vehicle depart="{200 * 7 * 86400}"/>', [1] + [0] * 60),  # years after all others
    ],
)
def test_departures_are_counted(routes: str, hourly: list[float] | None) -> None:
    found = made(routes)["departures"]
    assert (found and found["counts"]) == hourly


def test_what_there_is_no_time_for_is_left_out() -> None:
    late = made(clock=itertools.count(step=10).__next__)
    assert not late["network"]["complete"]
    assert late["departures"] is None


def test_the_time_is_looked_at_with_every_flow() -> None:
    """A few bytes of one spread over a week of minutes; a piece of a file holds a thousand of them."""
    week = '<flow begin="0" end="604800" number="10080"/>'
    clock = itertools.chain([0.0] * 5, itertools.repeat(9.0))
    departures = made(week * 5, clock=clock.__next__)["departures"]
    assert not departures["complete"]
    assert sum(departures["counts"]) < 5 * 10080


def test_versions_are_told_apart_by_their_files() -> None:
    old = made()["files"]
    new = profile(
        io.BytesIO(archive(note="x", extra={"more.xml": b"<a/>"})), INPUTS, begin=0, end=None,
        limits=ArchiveLimits(), cpu_s=1.0, clock=lambda: 0.0,
    )["files"]  # fmt: skip
    assert changes(old, new) == {"added": ["more.xml"], "changed": ["demand.rou.xml"]}
    assert changes(new, old)["removed"] == ["more.xml"]
    assert changes(new, new) == {}
