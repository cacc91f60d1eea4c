"""The client that the service offers is all that pip needs to build it."""

import io
import tomllib
import zipfile
from pathlib import Path

from django.test import Client

ROOT = Path(__file__).resolve().parents[2]


def test_the_client_is_downloaded_whole_and_no_more() -> None:
    answer = Client().get("/client.zip")
    assert answer["Content-Type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    described = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["tool"]["setuptools"]
    for package in described["packages"]:
        place = described["package-dir"].get(package) or package.removeprefix("sumok8_client.").replace(".", "/")
        folder = (ROOT / "client" / place).resolve()
        wanted = [file.relative_to(ROOT).as_posix() for file in folder.glob("*.py")]
        wanted += [
            f"{folder.relative_to(ROOT).as_posix()}/{name}" for name in described["package-data"].get(package, [])
        ]
        assert wanted
        assert set(wanted) <= set(names), package
    assert "client/pyproject.toml" in names
    folders = ("client/", "simulations/sumo/inputs/", "simulations/sumo/protocol/")
    assert all(name.startswith(folders) and "__pycache__" not in name for name in names)
    again = Client().get("/client.zip", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
