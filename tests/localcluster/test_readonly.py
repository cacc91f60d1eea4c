"""A container with a read-only root writes to its volumes and nowhere else."""

import ctypes
import subprocess
from pathlib import Path

import pytest

from localcluster.readonly import restrict_writes

LIBC = ctypes.CDLL(None, use_errno=True)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    if LIBC.syscall(444, None, 0, 1) < 1:
        pytest.skip("needs a kernel with Landlock: Linux 5.13 or later")
    (tmp_path / "volume").mkdir()
    (tmp_path / "victim").write_text("precious")
    return tmp_path / "volume"


@pytest.mark.parametrize(
    "does, works",
    [
        ("echo x > volume/new && mkdir volume/d && mv volume/new volume/d/ && rm volume/d/new", True),
        ("echo x > message", True),
        ("echo x > /dev/null && cat victim", True),
        ("echo x > victim", False),
        ("echo x >> victim", False),
        ("rm victim", False),
        ("mv victim volume/", False),
        ("mkdir beside", False),
        ("ln -s /etc volume/../link", False),
        ("sh -c 'echo x > new'", False),  # children are bound too
    ],
)
def test_where_it_may_write(volume: Path, does: str, works: bool) -> None:
    (volume.parent / "message").touch()
    allowed = [str(volume), str(volume.parent / "message"), "/dev", "/nowhere"]
    done = subprocess.run(
        ["sh", "-c", does], cwd=volume.parent, capture_output=True, preexec_fn=lambda: restrict_writes(LIBC, allowed)
    )
    assert (done.returncode == 0) is works, done.stderr
    assert (volume.parent / "victim").read_text() == "precious"
