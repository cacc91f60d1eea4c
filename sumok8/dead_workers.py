"""What web workers that have ended had counted: added up in one file for each kind, so that neither the files nor the
time that `/metrics` takes to read them grows with the workers that came and went."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict

KINDS = ("counter", "histogram")
ENDED = 0  # in place of the process id: no worker has it


def counts_folder() -> Path | None:
    """Where the workers of this web count together; None: each for itself."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder) if folder else None


@contextmanager
def files_stay(folder: Path, *, for_writing: bool = False) -> Iterator[None]:
    """Nobody reads the counts in the middle of a change: they would fall, or be there twice."""
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if for_writing else fcntl.LOCK_SH)
        yield


def fold(folder: Path, pid: int) -> None:
    """Add the counts of a process that has ended to those of all that ended before it. Raises what a torn file does."""
    with files_stay(folder, for_writing=True):
        for kind in KINDS:
            own = folder / f"{kind}_{pid}.db"
            if not own.exists():
                continue
            try:
                counted = list(MmapedDict.read_all_values_from_file(str(own)))
            except Exception:
                own.rename(own.with_suffix(".torn"))  # it would break every look at /metrics
                raise
            ended = MmapedDict(str(folder / f"{kind}_{ENDED}.db"))
            for key, value, at, _ in counted:
                before, _ = ended.read_value(key)
                ended.write_value(key, before + value, at)
            ended.close()
            own.unlink()
