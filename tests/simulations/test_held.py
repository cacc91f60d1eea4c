"""An answer that keeps a thread while it is sent: what it took is given back as its reader goes."""

from collections.abc import Generator
from pathlib import Path
from zipfile import ZipInfo

import pytest

from simulations import made_while_sent
from simulations.held import HeldAnswer, places


def test_a_reader_that_leaves_frees_the_place_and_closes_what_is_open(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(10 * made_while_sent.WORTH_SENDING))
    opened = []

    def members() -> Generator[made_while_sent.Member, None, None]:
        with large.open("rb") as file:
            opened.append(file)
            yield ZipInfo("large"), iter(lambda: file.read(1000), b"")

    before = places.taken
    answer = HeldAnswer("city-a", made_while_sent.zipped(members()))
    assert next(iter(answer))
    assert (places.taken, opened[0].closed) == (before + 1, False)
    answer.close()
    assert (places.taken, opened[0].closed) == (before, True)
    answer.close()
    assert places.taken == before


def test_parts_that_fail_as_they_are_closed_keep_no_place() -> None:
    def parts() -> Generator[bytes, None, None]:
        try:
            yield b"first"
        finally:
            raise OSError

    before = places.taken
    answer = HeldAnswer("city-a", parts())
    next(iter(answer))
    with pytest.raises(OSError):
        answer.close()
    assert places.taken == before
