"""A zip laid over another one."""

import io
import zipfile
from collections.abc import Callable

import pytest

from simulations.sumo.inputs.archive import ArchiveLimits
from simulations.sumo.inputs.overlay import lay_over
from simulations.sumo.protocol.problems import InvalidScenario

LIMITS = ArchiveLimits()
SMALL = ArchiveLimits(bytes=300)


def zipped(files: dict[str, str], *, stored: bool = False) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return buffer


def laid(base: io.BytesIO, changes: io.BytesIO | None, *removed: str) -> tuple[dict[str, str], bool, bytes]:
    target = io.BytesIO()
    is_other = lay_over(base, changes, removed, target, LIMITS)
    with zipfile.ZipFile(target) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name).decode() for name in packed.namelist()}, is_other, target.getvalue()


BASE = {"run.sumocfg": "c" * 5000, "net/ü.net.xml": "n" * 99, "old.xml": "", "./same.xml": "s"}


@pytest.mark.parametrize("stored", [True, False])
def test_files_are_replaced_added_and_removed(stored: bool) -> None:
    files, is_other, _ = laid(
        zipped(BASE, stored=stored), zipped({"net/ü.net.xml": "new", "tls/a.xml": "t"}), "old.xml"
    )
    assert is_other
    assert files == {
        "run.sumocfg": BASE["run.sumocfg"], "net/ü.net.xml": "new", "tls/a.xml": "t", "same.xml": "s",
    }  # fmt: skip


def test_by_whatever_way_the_same_files_are_the_same_bytes() -> None:
    base = zipped(BASE)
    at_once = laid(base, zipped({"b.xml": "b", "a.xml": "a", "same.xml": "s"}, stored=True))[2]
    first = io.BytesIO(laid(base, zipped({"a.xml": "a"}, stored=True))[2])
    assert laid(first, zipped({"b.xml": "b"}, stored=True))[2] == at_once


def test_nothing_new_is_told() -> None:
    assert not laid(zipped(BASE), zipped({"same.xml": "s"}, stored=True))[1]
    assert laid(zipped(BASE), zipped({"same.xml": "t"}))[1]


def test_what_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidScenario) as raised:
        lay_over(zipped(BASE), zipped({"../x": ""}), ["gone.xml"], io.BytesIO(), LIMITS)
    assert [each.code for each in raised.value.problems] == ["zip.path_escape", "overlay.not_there"]
    with pytest.raises(InvalidScenario, match="more than"):
        lay_over(zipped({"a": "x" * 200}, stored=True), zipped({"b": "x" * 200}, stored=True), [], io.BytesIO(), SMALL)


def test_a_spelling_that_would_lie_beside_the_file_that_was_meant() -> None:
    changes = zipped({"Old.xml": "x", "RUN.sumocfg": "y", "same.xml": "t"})
    with pytest.raises(InvalidScenario) as raised:
        lay_over(zipped(BASE), changes, [], io.BytesIO(), LIMITS)
    assert [(each.code, each.where) for each in raised.value.problems] == [
        ("overlay.case", "Old.xml"), ("overlay.case", "RUN.sumocfg"),
    ]  # fmt: skip
    assert laid(zipped(BASE), zipped({"Old.xml": "x"}), "old.xml")[0]["Old.xml"] == "x"


def test_paths_alone_may_go_but_something_must_be_asked_for() -> None:
    files, is_other, _ = laid(zipped(BASE), None, "old.xml")
    assert (files.keys(), is_other) == (BASE.keys() - {"old.xml", "./same.xml"} | {"same.xml"}, True)
    with pytest.raises(InvalidScenario) as raised:
        lay_over(zipped(BASE), zipped({}), [], io.BytesIO(), LIMITS)
    assert [each.code for each in raised.value.problems] == ["overlay.empty"]


@pytest.mark.parametrize(
    "place, lie",
    [
        (lambda packed: 0, b"xxxx"),  # no header before the first file
        (lambda packed: packed.rindex(b"PK\x01\x02") + 20, b"\xff\xff\0\0"),  # more packed bytes than there are
    ],
)
def test_a_base_that_lies_about_itself(place: Callable[[bytes], int], lie: bytes) -> None:
    packed = bytearray(zipped(BASE).getvalue())
    at = place(bytes(packed))
    packed[at : at + len(lie)] = lie
    with pytest.raises(InvalidScenario, match="damaged"):
        lay_over(io.BytesIO(packed), zipped({"a.xml": "a"}), [], io.BytesIO(), LIMITS)
