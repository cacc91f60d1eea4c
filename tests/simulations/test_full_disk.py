"""A disk without room: said with a code, nothing stays behind, and the next request works."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulations.models import Artifact, Job, Scenario
from tests import small_disk
from tests.simulations.api.test_runner import Runner
from tests.simulations.scenarios import archive, upload

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = 1024 * 1024
NOISE = os.urandom(SIZE)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of one MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        with small_disk.mounted(folder, SIZE):
            yield folder
    except small_disk.NotPermitted:
        pytest.skip("mounting a small tmpfs needs root and the right to mount")


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def big() -> bytes:
    return archive(extra={"noise.bin": NOISE})


def test_while_an_upload_passes_through_the_temporary_folder(api: Any, small: Path, settings: Any) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(small)
    assert refused(upload(api, "town", big())) == (507, "storage.full")
    assert files_in(small) == []
    assert not Scenario.objects.exists()
    assert upload(api, "town").status_code == 201


def test_while_a_scenario_is_stored(api: Any, small: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = small
    assert refused(upload(api, "town", big())) == (507, "storage.full")
    assert files_in(small) == []
    assert not Scenario.objects.exists()
    assert upload(api, "town").status_code == 201


def test_while_a_result_is_stored(job: Job, small: Path, settings: Any) -> None:
    settings.MEDIA_ROOT = small
    runner = Runner(job.pk)
    assert refused(runner.store("a", NOISE + b"x")) == (507, "storage.full")
    assert files_in(small) == []
    assert not Artifact.objects.exists()
    assert runner.store("a", NOISE[: SIZE // 2]).status_code == 201
    assert refused(runner.store("b", NOISE[: SIZE // 2 + 1])) == (507, "storage.full")
    assert [path.stat().st_size for path in files_in(small)] == [SIZE // 2]
