"""A zip laid over another one."""

import io
import zipfile

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


def test_a_base_that_lies_about_itself() -> None:
    packed = bytearray(zipped(BASE).getvalue())
    packed[0:4] = b"xxxx"
    with pytest.raises(InvalidScenario, match="damaged"):
        lay_over(io.BytesIO(packed), zipped({"a.xml": "a"}), [], io.BytesIO(), LIMITS)
