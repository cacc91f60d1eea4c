import gzip
import json
import struct
from array import array

import pytest

from simulations.sumo.protocol import edge_file
from simulations.sumo.protocol.edge_file import COLUMNS, BadEdgeFile, EdgeFile, most_intervals, unpacked


def example(**other) -> EdgeFile:
    values = array("f", range(2 * 7 * 3))
    known = {
        "edge_order": "0f", "intervals": [(0.0, 900.0), (900.0, 1000.0)], "columns": COLUMNS,
        "lengths": array("f", [10, 20, 30]), "limits": array("f", [5, 6, 7]), "data": values.tobytes(),
    }  # fmt: skip
    return EdgeFile(**(known | other))


def test_what_was_written_is_read():
    found = unpacked(gzip.compress(example().packed()))
    assert list(found.column("distance_m", 1)) == [24, 25, 26]
    assert list(found.column("distance_m")) == [27, 29, 31]
    assert found.at(2)["sampled_s"] == [2, 23]
    assert (found.duration(), found.duration(1), list(found.limits)) == (1000, 100, [5, 6, 7])


def test_a_number_that_is_none_counts_nothing():
    broken = array("f", [float("nan"), float("inf"), 1.0] * 14)
    found = unpacked(gzip.compress(example(data=broken.tobytes()).packed()))
    assert list(found.column("entered", 0)) == [0, 0, 1]
    assert found.at(0)["left"] == [0, 0]


def packed(change, tail=b""):
    plain = example().packed()
    (length,) = struct.unpack_from("<I", plain, 8)
    header = json.dumps(json.loads(plain[12 : 12 + length]) | change).encode()
    return gzip.compress(plain[:8] + struct.pack("<I", len(header)) + header + plain[12 + length :] + tail)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not gzip",
        gzip.compress(b""),
        gzip.compress(b"SKEDGES2" + b"\0" * 40),
        gzip.compress(example().packed())[:-9],
        gzip.compress(edge_file.MAGIC + struct.pack("<I", 2**31)),
        gzip.compress(edge_file.MAGIC + struct.pack("<I", 4) + b"[[[["),
        packed({"edges": -1}),
        packed({"edges": 2}),
        packed({"edges": "3"}),
        packed({"edges": 10**9}),
        packed({"columns": ["x"] * 7}),
        packed({"columns": ["entered"] * 7}),
        packed({"columns": [[each] for each in COLUMNS]}),
        packed({"intervals": [[0, 900], [900, "inf"]]}),
        packed({"intervals": [[0, 900], [900, 10**400]]}),
        packed({"intervals": [[5, 1], [0, 1]]}),
        packed({"intervals": [[0, 1]] * 400}),
        packed({"intervals": 7}),
        packed({}, tail=b"\0"),
    ],
    ids=lambda content: str(len(content)),  # a packed file's bytes have the time in them
)
def test_a_pods_word_is_not_taken_for_it(content):
    with pytest.raises(BadEdgeFile):
        unpacked(content)


def test_it_does_not_unpack_more_than_a_file_may_have(monkeypatch):
    monkeypatch.setattr(edge_file, "MAX_BYTES", 100)
    with pytest.raises(BadEdgeFile):
        unpacked(gzip.compress(example().packed()))


@pytest.mark.parametrize("edges, expected", [(0, 288), (10, 288), (10_000, 100), (200_000, 5)])
def test_large_networks_have_fewer_intervals(edges, expected):
    assert most_intervals(edges) == expected
