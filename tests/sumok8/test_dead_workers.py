"""Counts of web workers that have ended: all there, in as many files as there are kinds."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from sumok8 import gunicorn_conf

ASKED = {"route": "jobs", "status": "200"}


def counted(folder: Path, pid: int, asked: float, took: float) -> None:
    """The files that a worker leaves."""
    names, values = list(ASKED), list(ASKED.values())
    for kind, name, amount in (("counter", "asked_total", asked), ("histogram", "took_sum", took)):
        own = MmapedDict(str(folder / f"{kind}_{pid}.db"))
        own.write_value(mmap_key(name.rpartition("_")[0], name, names, values, "help"), amount, 0.0)
        own.close()


def told(folder: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {line.partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines if "le=" not in line}


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    said: list[str] = []
    server = SimpleNamespace(log=SimpleNamespace(warning=lambda text, *more: said.append(text % more)))

    def ends(pid: int) -> list[str]:
        gunicorn_conf.child_exit(server, SimpleNamespace(pid=pid))
        return said

    return ends


def test_what_they_counted_stays_and_their_files_go(tmp_path: Path, ends: Any) -> None:
    for pid in range(11, 16):
        counted(tmp_path, pid, asked=10, took=0.5)
    before = told(tmp_path)
    assert before["asked_total"] == 50
    for pid in range(11, 15):
        assert ends(pid) == []
        assert told(tmp_path) == before
    assert {each.name for each in tmp_path.glob("*.db")} == {
        "counter_0.db", "counter_15.db", "histogram_0.db", "histogram_15.db",
    }  # fmt: skip
    assert ends(99) == []  # it had counted nothing


def test_a_torn_file_stops_nothing(tmp_path: Path, ends: Any) -> None:
    (tmp_path / "counter_7.db").write_bytes(b"\xff\xff\xff\x00torn")
    [said] = ends(7)
    assert said.startswith("the counts of worker 7 are lost")
    assert told(tmp_path) == {}
