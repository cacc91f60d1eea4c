"""The volume that holds the files, where it is one and no bucket: how much room it has."""

import shutil
from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Volume:
    """In bytes."""

    free: int
    size: int

    @property
    def free_share(self) -> float:
        return self.free / self.size


def volume() -> Volume | None:
    """As it is now; None: a bucket, or nothing is there yet."""
    if settings.S3_BUCKET:
        return None
    try:
        usage = shutil.disk_usage(settings.MEDIA_ROOT)
    except OSError:
        return None
    return Volume(usage.free, usage.total) if usage.total else None
