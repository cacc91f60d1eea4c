"""What goes over the wire in an upload."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from client import Client, transport

ERROR = {"error": {"code": "unavailable", "message": "Away.", "details": []}}
ROW = {"scenario_id": "town", "version": 3, "config": "run.sumocfg", "shared": False, "sha256": ""}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / 'odd "name".zip'
    path.write_bytes(b"PK" * 300_000)
    return path


def test_an_upload_is_sent_whole_again_after_a_refusal(
    stand_in: Any, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)
    url, asked = stand_in((404, ERROR), (503, ERROR), (201, ROW))
    told: list[tuple[int, int]] = []
    scenario = Client(url, "k").upload(
        "town", archive, config="a.sumocfg", report=lambda sent, total: told.append((sent, total))
    )
    assert (scenario.id, scenario.version) == ("town", 3)
    assert [each["path"] for each in asked] == ["/scenarios/town", "/scenarios", "/scenarios"]
    for each in asked[1:]:
        boundary = each["Content-Type"].partition("boundary=")[2].encode()
        config, name, file, end = each["body"].split(b"--" + boundary)[1:]
        assert b'name="scenario_id"\r\n\r\ntown' in config
        assert b'name="config"\r\n\r\na.sumocfg' in name
        assert b'filename="odd _name_.zip"' in file
        assert file.endswith(b"\r\n\r\n" + archive.read_bytes() + b"\r\n")
        assert end == b"--\r\n"
    assert told.count((600_000, 600_000)) == 2


@pytest.mark.parametrize("difference, sends", [({}, False), ({"shared": True}, True), ({"config": "b.sumocfg"}, True)])
def test_what_is_there_already_is_not_sent(stand_in: Any, archive: Path, difference: dict, sends: bool) -> None:
    same = ROW | {"sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}
    url, asked = stand_in((200, same | difference), (201, ROW))
    Client(url, "k").upload("town", archive, config="run.sumocfg")
    assert len(asked) == 1 + sends
