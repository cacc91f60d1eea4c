"""Result files arrive whole: going on after a cut, checked, and nowhere but in the folder."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from client import ApiProblem, Client, transport
from client.downloads import all_of, inside, to_file

CONTENT = bytes(range(256)) * 40
SHA = hashlib.sha256(CONTENT).hexdigest()
WHOLE = {"Content-Length": str(len(CONTENT))}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.time, "sleep", lambda seconds: None)


def get(url: str, to: Path, **told: Any) -> Path:
    known = {"size": len(CONTENT), "sha256": SHA} | told
    return to_file(Client(url, "k", patience_s=5).transport, "/f", to, **known)


def test_a_cut_goes_on_where_it_was(stand_in: Any, tmp_path: Path) -> None:
    rest = (206, CONTENT[1000:], {"Content-Length": str(len(CONTENT) - 1000)})
    url, asked = stand_in((200, CONTENT[:1000], WHOLE), (503, {}), rest)
    assert get(url, tmp_path / "f").read_bytes() == CONTENT
    assert [each.get("Range") for each in asked] == [None, "bytes=1000-", "bytes=1000-"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_another_process_goes_on_too(stand_in: Any, tmp_path: Path) -> None:
    url, _ = stand_in((200, CONTENT[:1000], WHOLE), (404, {}))
    with pytest.raises(ApiProblem, match="answered 404"):
        get(url, tmp_path / "f")
    assert not (tmp_path / "f").exists()
    url, asked = stand_in((206, CONTENT[1000:], {}))
    seen: list[int] = []
    get(url, tmp_path / "f", arrived=seen.append)
    assert (asked[0]["Range"], seen[0], sum(seen)) == ("bytes=1000-", 1000, len(CONTENT))
    assert get("http://127.0.0.1:9", tmp_path / "f").exists()  # is there: nothing is asked for


def test_a_service_that_knows_no_ranges_begins_anew(stand_in: Any, tmp_path: Path) -> None:
    url, _ = stand_in((200, CONTENT[:1000], WHOLE), (200, CONTENT, WHOLE))
    seen: list[int] = []
    assert get(url, tmp_path / "f", arrived=seen.append).read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)


def test_other_content_is_thrown_away(stand_in: Any, tmp_path: Path) -> None:
    url, _ = stand_in((200, CONTENT[::-1], WHOLE), (200, CONTENT + b"more", {}))
    with pytest.raises(ApiProblem, match="other content"):
        get(url, tmp_path / "f")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ApiProblem, match="longer than"):
        get(url, tmp_path / "f")


def test_nothing_leaves_the_folder(tmp_path: Path) -> None:
    assert inside(tmp_path, "a/b.xml") == tmp_path / "a" / "b.xml"
    for name in ("../x", "/etc/passwd", "a/../../x", "", "a//b", "..\\x", "C:x", "."):
        with pytest.raises(ApiProblem, match="would not lie in"):
            inside(tmp_path, name)


def test_what_cannot_be_written_is_told(stand_in: Any, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    url, _ = stand_in()
    with pytest.raises(ApiProblem, match="cannot be written"):
        get(url, tmp_path / "f" / "below")


def test_an_empty_file_and_a_count_of_all(stand_in: Any, tmp_path: Path) -> None:
    url, _ = stand_in((200, b"", {"Content-Length": "0"}), (200, CONTENT, WHOLE))
    empty = {"name": "empty", "size_bytes": 0, "sha256": hashlib.sha256().hexdigest(), "url": "/empty"}
    assert all_of(Client(url, "k").transport, [empty], tmp_path, None) == [tmp_path / "empty"]
    told: list[tuple[int, int]] = []
    full = {"name": "full", "size_bytes": len(CONTENT), "sha256": SHA, "url": "/full"}
    all_of(Client(url, "k").transport, [full], tmp_path, lambda done, total: told.append((done, total)))
    assert told[-1] == (len(CONTENT), len(CONTENT))


def test_a_storage_elsewhere_never_sees_the_key(stand_in: Any, tmp_path: Path) -> None:
    storage, asked_there = stand_in((200, CONTENT, WHOLE))
    url, asked = stand_in((302, b"", {"Location": f"{storage}/signed", "Content-Length": "0"}))
    get(url, tmp_path / "f")
    assert asked[0]["Authorization"] == "Bearer k"
    assert "Authorization" not in asked_there[0]
