"""Where a CI system puts the token that says which of its runs this is."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
from pathlib import Path
from typing import Callable
from urllib.parse import urlencode

from .errors import ApiProblem
from .transport import Transport

SPENT = (
    "The key of SUMOK8_TOKEN has ended, and a token is taken once. For what takes longer than 15 minutes give "
    "SUMOK8_TOKEN_FILE or SUMOK8_TOKEN_COMMAND, which are asked anew."
)


def token_of(url: str) -> Callable[[], str] | None:
    """What gives a token for the service at `url`, if the environment has such a thing: a command that prints one, a
    file that somebody keeps fresh, or GitHub's runner of a job with `id-token: write`."""
    if command := os.environ.get("SUMOK8_TOKEN_COMMAND"):
        return lambda: _printed(command)
    if file := os.environ.get("SUMOK8_TOKEN_FILE"):
        return lambda: _content(Path(file))
    place, key = (os.environ.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}") for name in ("URL", "TOKEN"))
    if place and key:
        audience = os.environ.get("SUMOK8_AUDIENCE") or url
        return lambda: _of_runner(place or "", key or "", audience)
    return None


def digest(url: str, token: str) -> str:
    """Names a token without telling it."""
    return hashlib.sha256(f"{url}\n{token}".encode()).hexdigest()


def _printed(command: str) -> str:
    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, timeout=60, check=True, text=True)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ApiProblem(f"SUMOK8_TOKEN_COMMAND gives no token: {error}") from None
    return done.stdout.strip()


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise ApiProblem(f"SUMOK8_TOKEN_FILE gives no token: {error}") from None


def _of_runner(place: str, key: str, audience: str) -> str:
    told = Transport(place, key).json(
        "GET", f"{place}{'&' if '?' in place else '?'}{urlencode({'audience': audience})}"
    )
    if not isinstance(told, dict) or not isinstance(told.get("value"), str):
        raise ApiProblem("The CI system's runner gave no token.")
    return str(told["value"])
