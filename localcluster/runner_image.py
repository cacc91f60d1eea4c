"""What the runner image would bring to a pod: Python with this project, and SUMO from the installed wheel."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from localcluster.config import Image

PROJECT = Path(__file__).resolve().parents[1]


class SumoMissing(Exception):
    """The wheel is not installed; the message says what to do."""


def runner_stand_in() -> Image:
    """Raises SumoMissing."""
    spec = find_spec("sumo")
    if spec is None or not spec.submodule_search_locations:
        raise SumoMissing("the wheel eclipse-sumo is not installed; install requirements-embedded.txt")
    home = Path(next(iter(spec.submodule_search_locations)))
    env = {
        "PYTHONPATH": str(PROJECT),
        "SUMO_HOME": str(home),
        "SUMO_BINARY": str(home / "bin" / "sumo"),
        "PROJ_LIB": str(home / "data" / "proj"),
        "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return Image(env=env)
