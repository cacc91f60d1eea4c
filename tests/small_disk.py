"""A disk that is soon full: a tmpfs of few bytes."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NotPermitted(Exception):
    """Mounting needs root and the right to mount."""


@contextmanager
def mounted(folder: Path, size: int) -> Iterator[None]:
    """`folder` is a disk of `size` bytes for the block. Raises NotPermitted."""
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        raise NotPermitted
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
