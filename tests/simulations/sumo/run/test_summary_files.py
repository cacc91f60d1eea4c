"""Step records as files, also on a disk that is full."""

import gzip
from pathlib import Path

import pytest

from simulations.sumo.results.sumo_run import StepRecord
from simulations.sumo.run.summary import CSV_NAME, XML_END, XML_HEAD, SummaryFiles


def step(time: float) -> StepRecord:
    return StepRecord(time, 1, 0, 0, 1, 0, 0, 2.5, None, 0)


def times(folder: Path) -> list[str]:
    return [line.split(",")[0] for line in (folder / CSV_NAME).read_text().splitlines()]


def write(folder: Path, *moments: float, own: Path | None = None, period_s: float = 60.0) -> None:
    with SummaryFiles(folder, period_s=period_s, own=own) as files:
        for moment in moments:
            files.write(step(moment), f'<step time="{moment}"/>')


def test_one_a_period_and_the_last(tmp_path: Path) -> None:
    own = tmp_path / "deep" / "s.xml"
    write(tmp_path, 0, 30, 60, 119, own=own)
    assert times(tmp_path) == ["time", "0", "60", "119"]
    steps = "".join(f'<step time="{moment}"/>\n' for moment in (0, 30, 60, 119))
    assert own.read_text() == XML_HEAD + steps + XML_END
    write(tmp_path, 0, 30, 60, own=own.with_suffix(".xml.gz"))
    assert times(tmp_path) == ["time", "0", "60"]
    assert gzip.decompress(own.with_suffix(".xml.gz").read_bytes()).endswith(b'<step time="60"/>\n</summary>\n')


def test_without_a_file_of_the_scenarios_sumo_is_asked_for_no_more(tmp_path: Path) -> None:
    write(tmp_path, 0, 30)
    assert times(tmp_path) == ["time", "0", "30"]


@pytest.mark.parametrize("own", ["/dev/full", "/proc/none/s.xml"])
def test_a_file_that_cannot_be_written_stops_nothing(tmp_path: Path, own: str) -> None:
    write(tmp_path, *range(0, 6000, 60), own=Path(own))
    assert len(times(tmp_path)) == 101
