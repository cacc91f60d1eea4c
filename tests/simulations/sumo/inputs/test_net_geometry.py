import json
import time

import pytest

from simulations.sumo.inputs import net_geometry
from simulations.sumo.inputs.net_geometry import NetGeometry, TooLarge, read_networks, simplified

NET = """<net>
  <edge id=":n_0" function="internal"><lane id=":n_0_0" index="0" speed="9" length="3" shape="0,0 1,1"/></edge>
  <edge id="b" from="x" to="y">
    <lane id="b_0" index="0" speed="13.9" length="100.5" shape="0.00,-1.60 50.00,-1.70 100.00,-1.60,4"/>
    <lane id="b_1" index="1" speed="8.3" length="100.5" shape="0.00,1.60 100.00,1.60"/>
  </edge>
  <edge id="a" from="y" to="x"><lane id="a_0" index="0" length="7" shape="10,20 10,90 80,90"/></edge>
  <junction id="x" type="traffic_light" x="0" y="-3"/><junction id="y" type="priority" x="9" y="9"/>
  <connection from="a" to="b"/>
  <edge id="late"><lane id="late_0" index="0" shape="0,0 1,1"/></edge>
</net>"""


def drawn(document):
    x, y = document["origin"]
    flat, lines, at = document["shape"], [], 0
    for count in document["points"]:
        line = []
        for _ in range(count):
            x, y, at = x + flat[at], y + flat[at + 1], at + 2
            line.append((x, y))
        lines.append(line)
    return lines


def read(tmp_path, text) -> NetGeometry:
    path = tmp_path / "net.xml"
    path.write_text(text)
    return read_networks([path], deadline=time.monotonic() + 5)


def test_edges_in_the_files_order_along_their_middle_lane(tmp_path):
    net = read(tmp_path, NET)
    assert (net.ids, net.lanes, net.limits, net.lengths) == (["b", "a"], [2, 1], [13.9, 13.89], [100.5, 7.0])
    document = json.loads(net.as_json())
    assert drawn(document) == net.lines == [[(0, 16), (1000, 16)], [(100, 200), (100, 900), (800, 900)]]
    assert document["origin"] == [0, 16]
    assert document["size"] == [1000, 884]
    assert net.signals == [(0, -30)]


@pytest.mark.parametrize(
    "line, expected",
    [
        ([(0, 0), (50, 9), (100, 0)], [(0, 0), (100, 0)]),
        ([(0, 0), (50, 11), (100, 0)], [(0, 0), (50, 11), (100, 0)]),
        ([(0, 0), (40, 60), (0, 0)], [(0, 0), (40, 60), (0, 0)]),  # a loop
        ([(3, 3)], [(3, 3)]),
    ],
)
def test_a_line_is_simplified_to_a_metre(line, expected):
    assert simplified(line, net_geometry.TOLERANCE) == expected


@pytest.mark.parametrize("bound, most", [("MAX_EDGES", 1), ("MAX_POINTS", 3), ("MAX_LINE", 2)])
def test_it_is_bounded(tmp_path, monkeypatch, bound, most):
    monkeypatch.setattr(net_geometry, bound, most)
    with pytest.raises(TooLarge):
        read(tmp_path, NET)
