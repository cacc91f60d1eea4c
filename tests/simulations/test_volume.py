"""How much room the files' volume has, as far as there is one."""

import shutil
from pathlib import Path

from pytest_django import Settings

from simulations.volume import volume


def test_a_folder_has_a_volume_and_a_bucket_has_none(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    found = volume()
    assert found
    assert found.size == shutil.disk_usage(tmp_path).total
    assert 0 <= found.free_share <= 1
    settings.MEDIA_ROOT = tmp_path / "not there yet"
    assert volume() is None
    settings.MEDIA_ROOT, settings.S3_BUCKET = tmp_path, "results"
    assert volume() is None
