import gzip
import hashlib
from pathlib import Path

import pytest

from simulations.sumo.inputs.output_rules import NamedOutput
from simulations.sumo.results import outputs

XML = (
    b'<?xml version="1.0"?>\n\n<!-- generated on 2026 by SUMO\n<x a="1"/>\n-->\n\n'
    b'<tripinfos xmlns:a="b">\n <t/>\n</tripinfos>\n'
)
PARQUET = b"PAR1" + b"\0" * 20 + b"PAR1"


@pytest.mark.parametrize(
    "name, content, intact",
    [
        ("a.xml", XML, True),
        ("a.xml", XML[:-3], False),
        ("a.xml", XML[:60], False),
        ("a.xml", b"", False),
        ("a.xml", b"<tripinfos/>", True),
        ("a.xml.gz", gzip.compress(XML), True),
        ("a.xml.gz", gzip.compress(XML)[:-4], False),
        ("a.xml.gz", gzip.compress(XML)[:-9] + b"123456789", False),
        ("fcd.parquet", PARQUET, True),
        ("fcd.parquet", PARQUET[:-1], False),
        ("fcd.parquet", b"PAR1", False),
        ("a.csv", b"x;y\n1;2\n", None),
    ],
)
def test_is_intact(tmp_path: Path, name: str, content: bytes, intact: bool | None) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert outputs.is_intact(path) is intact


def test_what_is_not_there_is_not_whole(tmp_path: Path) -> None:
    assert outputs.is_intact(tmp_path / "gone.xml") is False


def test_packing_drops_the_dated_header_and_gives_the_same_bytes(tmp_path: Path) -> None:
    packed = []
    for number, date in enumerate((b"2026", b"2027")):
        source = tmp_path / f"{number}.xml"
        source.write_bytes(XML.replace(b"2026", date))
        packed.append(outputs.pack(source, "tripinfo.xml", tmp_path / str(number), drop_header=True))
        assert not source.exists()
    assert packed[0].sha256 == packed[1].sha256
    assert (packed[0].name, packed[0].raw_bytes, packed[0].intact) == ("tripinfo.xml.gz", len(XML), True)
    content = gzip.decompress(packed[0].path.read_bytes())
    assert content == b'<?xml version="1.0"?>\n\n<tripinfos xmlns:a="b">\n <t/>\n</tripinfos>\n'


def test_packed_formats_are_taken_as_they_are(tmp_path: Path) -> None:
    source = tmp_path / "fcd.parquet"
    source.write_bytes(PARQUET)
    packed = outputs.pack(source, "fcd.parquet", tmp_path / "artifacts")
    assert not source.exists()
    assert packed.as_dict() == {
        "name": "fcd.parquet", "bytes": 28, "raw_bytes": 28, "intact": True,
        "sha256": hashlib.sha256(PARQUET).hexdigest(),
    }  # fmt: skip
    assert outputs.pack(packed.path, "fcd.parquet", tmp_path / "artifacts") == packed  # it lies there already


def test_only_new_and_changed_files_count_as_written(tmp_path: Path) -> None:
    for name in ("same", "changed"):
        (tmp_path / name).write_text("1")
    before = outputs.listing(tmp_path)
    (tmp_path / "changed").write_text("22")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "new").write_text("3")
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert outputs.written_since(tmp_path, before) == ["changed", "deep/new"]


def test_output_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    named = [
        NamedOutput("a", "a", "out/deep/t.xml", "out/deep/t.xml", ("out", "out/deep")),
        NamedOutput("a", "a", "file/t.xml", "file/t.xml", ("file",)),
        NamedOutput("a", "a", "/dev/null"),
    ]
    outputs.make_output_folders(tmp_path, named)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")} == {"file", "out", "out/deep"}


@pytest.mark.parametrize(
    "name, usable", [("a b/ü.xml", True), ("a\nb", False), ("a\\b", False), ("x" * 201, False), ("\udcff", False)]
)
def test_usable_names(name: str, usable: bool) -> None:
    assert outputs.usable_name(name) is usable
