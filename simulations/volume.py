"""The volumes that hold the files, where they are no buckets: how much room they have."""

import shutil
from dataclasses import dataclass

from simulations import files


@dataclass(frozen=True)
class Volume:
    """`store`: the storage of files that is on it; the rest in bytes."""

    store: str
    free: int
    size: int

    @property
    def free_share(self) -> float:
        return self.free / self.size


def volumes() -> list[Volume]:
    """As they are now; buckets, and folders where nothing is yet, are left out."""
    found = []
    for store, folder in files.folders().items():
        try:
            usage = shutil.disk_usage(folder)
        except OSError:
            continue
        if usage.total:
            found.append(Volume(store, usage.free, usage.total))
    return found


def fullest() -> Volume | None:
    return min(volumes(), key=lambda volume: volume.free_share, default=None)
