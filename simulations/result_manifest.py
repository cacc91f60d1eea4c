"""A job's manifest among its results: the runner uploads it last, so it is there only if everything else is."""

import logging

from simulations import files
from simulations.models import Artifact
from simulations.sumo.protocol.report import MAX_MANIFEST_BYTES, Manifest, read_manifest

log = logging.getLogger(__name__)

NAME = "manifest.json"


def read(artifact: Artifact) -> Manifest | None:
    """What it says; None if that cannot be understood. Raises ApiError 503 while storage does not answer."""
    if artifact.size_bytes > MAX_MANIFEST_BYTES:
        return None
    try:
        found = read_manifest(files.read(str(artifact.file), at_most=MAX_MANIFEST_BYTES + 1))
    except FileNotFoundError:
        log.warning("job %s: its manifest is gone from storage", artifact.job_id)
        return None
    if found is None:
        log.warning("job %s: its manifest makes no sense", artifact.job_id)
    return found
