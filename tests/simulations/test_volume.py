"""How much room the files' volumes have, as far as there are any."""

import shutil
from pathlib import Path

from pytest_django import Settings

from simulations import volume


def keep_in(settings: Settings, **folders: Path) -> None:
    disk = "django.core.files.storage.FileSystemStorage"
    settings.STORAGES = settings.STORAGES | {
        name: {"BACKEND": disk, "OPTIONS": {"location": str(folder)}} for name, folder in folders.items()
    }


def test_each_folder_has_a_volume(settings: Settings, tmp_path: Path) -> None:
    keep_in(settings, default=tmp_path, alps=tmp_path)
    found = volume.volumes()
    assert [each.store for each in found] == ["default", "alps"]
    assert found[0].size == shutil.disk_usage(tmp_path).total
    assert 0 <= found[0].free_share <= 1


def test_the_fullest_counts(settings: Settings, tmp_path: Path, monkeypatch) -> None:
    keep_in(settings, default=tmp_path, alps=tmp_path / "full")
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 0, 5 if Path(path).name == "full" else 50))
    assert volume.fullest() == volume.Volume("alps", 5, 100)


def test_none_where_nothing_is_yet(settings: Settings, tmp_path: Path) -> None:
    keep_in(settings, default=tmp_path / "not there yet")
    assert volume.fullest() is None
