"""Files of a job as one zip."""

from collections.abc import Generator, Sequence
from datetime import UTC
from zipfile import ZipInfo

from simulations import files, made_while_sent
from simulations.models import Artifact
from tenants.errors import ApiError

MOST_FILES = 1000
MOST_BYTES = 4 * 1024**3
GONE = "no-longer-in-storage.txt"


def why_not(artifacts: Sequence[Artifact]) -> str:
    """Why these are too much for one zip; empty if they are not."""
    if len(artifacts) > MOST_FILES:
        return f"more than {MOST_FILES} files"
    size = sum(artifact.size_bytes for artifact in artifacts)
    return f"more than {MOST_BYTES // 1024**3} GiB" if size > MOST_BYTES else ""


def zipped(artifacts: Sequence[Artifact]) -> Generator[bytes, None, None]:
    """Stored as they are, most of them are packed already."""
    return made_while_sent.zipped(_members(artifacts))


def _members(artifacts: Sequence[Artifact]) -> Generator[made_while_sent.Member, None, None]:
    gone = []
    for artifact in artifacts:
        try:
            content = files.open_file(str(artifact.file))
        except (FileNotFoundError, ApiError):
            gone.append(artifact.name)
            continue
        with content:
            yield ZipInfo(artifact.name, artifact.uploaded_at.astimezone(UTC).timetuple()[:6]), content.chunks()
    if gone:
        yield ZipInfo(GONE), ["\n".join(gone).encode() + b"\n"]
