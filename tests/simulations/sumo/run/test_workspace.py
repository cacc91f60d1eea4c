"""The folders of a run, also where an earlier attempt has left its own."""

from pathlib import Path

from simulations.sumo.run.workspace import Workspace


def test_every_attempt_begins_with_empty_folders(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.prepare()
    space.scratch.mkdir()
    space.archive.write_bytes(b"PK")
    for path in (space.scenario / "a", space.scratch / "b", space.out / "c", space.log):
        path.write_text("x")
    space.prepare()
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert left == ["artifacts", "out", "scenario", "scenario.zip"]


def test_what_sumo_began_to_write_is_forgotten(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.prepare()
    (space.out / "tripinfo.xml").write_text("<trip")
    space.log.write_text("Error")
    space.empty_out()
    assert list(space.out.iterdir()) == []
    assert space.log.read_text() == "Error"
