"""Where the address and key of a service are kept between commands: a file that only its user reads."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from .errors import ApiProblem

HOW = "Sign in with `sumok8 login URL`, or set SUMOK8_URL and SUMOK8_API_KEY."


@dataclass(frozen=True)
class Profile:
    """A service and a key for it."""

    url: str
    key: str


def file() -> Path:
    return Path(os.environ.get("SUMOK8_CONFIG") or Path(click.get_app_dir("sumok8")) / "profiles.json")


def find(name: str | None) -> Profile:
    """What to speak to: the environment, else the profile `name`, else the one of the last login. A stored key is
    only ever sent to the address that it was stored for. Raises ApiProblem."""
    url, key = os.environ.get("SUMOK8_URL", "").rstrip("/"), os.environ.get("SUMOK8_API_KEY", "")
    if url and key and name is None:
        return Profile(url, key)
    kept = _read()
    wanted = name or kept.get("current")
    entry = kept.get("profiles", {}).get(wanted)
    if entry is None:
        raise ApiProblem(f"There is no profile {wanted!r}. {HOW}" if wanted else f"Which service? {HOW}")
    if name is None and url and url != entry["url"]:
        raise ApiProblem(f"SUMOK8_URL is {url}, and no key is known for it. {HOW}")
    return Profile(entry["url"], key if key and name is None else entry["key"])


def keep(name: str, profile: Profile) -> Path:
    """Store it, and use it from now on. Written beside and moved over, so that no moment sees half a file."""
    kept = _read()
    kept.setdefault("profiles", {})[name] = {"url": profile.url, "key": profile.key}
    kept["current"] = name
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            json.dump(kept, target, indent=2)
        Path(temporary).replace(path)
    except OSError as error:
        raise ApiProblem(f"{path} cannot be written: {error}") from None
    return path


def _read() -> dict[str, Any]:
    path = file()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ApiProblem(f"{path} cannot be read: {error}. Delete it and sign in again.") from None
    return kept if isinstance(kept, dict) else {}
