"""Where addresses and keys of services are kept between commands: secrets in the system's keyring, else with the rest
in a file that only its user reads."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import keychain
from .device import SignIn
from .errors import ApiProblem
from .tokens import Traded

HOW = "Sign in with `sumok8 login URL`, choose by `sumok8 profiles --use NAME`, or set SUMOK8_URL and SUMOK8_API_KEY."
SECRETS = ("key", "refresh_token")
MOST_TRADED = 50


@dataclass(frozen=True)
class Profile:
    """A service and a key for it: until `ends_at`, if that is known; `sign_in` gives another."""

    url: str
    key: str
    ends_at: float | None = None
    sign_in: SignIn | None = None

    @property
    def traded(self) -> Traded:
        return Traded(self.key, self.ends_at or 0.0)


def file() -> Path:
    return Path(os.environ.get("SUMOK8_CONFIG") or _settings_folder() / "sumok8" / "profiles.json")


def _settings_folder() -> Path:
    """Where this system has programs keep what belongs to one user."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home)
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")


def current() -> str | None:
    """The one of the last login."""
    name = _read().get("current")
    return name if isinstance(name, str) else None


def every() -> dict[str, Profile | None]:
    """None where the keyring has a profile's secrets no more."""
    return {name: _profile(name, entry) for name, entry in _entries(_read()).items()}


def find(name: str) -> Profile:
    """Raises ApiProblem."""
    entry = _entries(_read()).get(name)
    if entry is None:
        raise ApiProblem(f"There is no profile {name!r}. {HOW}")
    profile = _profile(name, entry)
    if profile is None:
        raise ApiProblem(f"The keyring does not give the key of the profile {name!r}. Sign in again: sumok8 login.")
    return profile


def keep(name: str, profile: Profile) -> str:
    """Store it, and tell where its secrets lie. To be called under `locked`."""
    kept = _read()
    known = {**asdict(profile), **(asdict(profile.sign_in) if profile.sign_in else {})}
    secrets = {each: known.pop(each) for each in SECRETS if known.get(each)}
    entry = {each: value for each, value in known.items() if value and each != "sign_in"}
    in_keyring = keychain.keep(_in_keyring(name, profile.url), json.dumps(secrets))
    if not in_keyring:
        keychain.forget(_in_keyring(name, profile.url))  # an earlier one
    kept.setdefault("profiles", {})[name] = entry | ({"secrets": "keyring"} if in_keyring else secrets)
    _write(kept)
    return "the system's keyring" if in_keyring else str(file())


def use(name: str) -> None:
    """From now on, where none is named. Raises ApiProblem."""
    find(name)
    _write({**_read(), "current": name})


def forget(name: str) -> None:
    kept = _read()
    entry = kept.get("profiles", {}).pop(name, None)
    if entry:
        keychain.forget(_in_keyring(name, entry["url"]))
    if kept.get("current") == name:
        del kept["current"]
    _write(kept)


def remember(digest: str, traded: Traded) -> None:
    """A key that was traded for a token, for the next command with the same one; those that ended are dropped."""
    kept = _read()
    fresh = {each: row for each, row in _traded(kept).items() if row.is_fresh}
    some = dict(list({**fresh, digest: traded}.items())[-MOST_TRADED:])
    _write({**kept, "traded": {each: asdict(row) for each, row in some.items()}})


def remembered(digest: str) -> Traded | None:
    return _traded(_read()).get(digest)


@contextmanager
def locked() -> Iterator[None]:
    """One command at a time: a refresh token is often good for one use, and the file is read, changed and written.
    Without where the system knows no such locks, or nothing can be written."""
    with ExitStack() as held:
        if sys.platform != "win32":
            import fcntl

            path = file().with_suffix(".lock")
            with suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                fcntl.flock(held.enter_context(path.open("a")), fcntl.LOCK_EX)
        yield


def _in_keyring(name: str, url: str) -> str:
    """With the address: whoever changes that in the file gets no key sent there."""
    return f"{name} {url}"


def _profile(name: str, entry: dict[str, Any]) -> Profile | None:
    known = dict(entry)
    if known.pop("secrets", None) == "keyring":
        try:
            known.update(json.loads(keychain.find(_in_keyring(name, entry["url"])) or ""))
        except ValueError:
            return None
    place = None
    if "issuer" in known:
        place = SignIn(
            known["issuer"], known["client_id"], known.get("refresh_token", ""), known["scope"], known.get("tenant")
        )
    return Profile(known["url"], known["key"], known.get("ends_at"), place)


def _entries(kept: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(kept.get("profiles", {}))


def _traded(kept: dict[str, Any]) -> dict[str, Traded]:
    return {each: Traded(**row) for each, row in kept.get("traded", {}).items()}


def _read() -> dict[str, Any]:
    path = file()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ApiProblem(f"{path} cannot be read: {error}. Delete it and sign in again.") from None
    return kept if isinstance(kept, dict) else {}


def _write(kept: dict[str, Any]) -> None:
    """Beside it and moved over, so that no moment sees half a file."""
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent)  # 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            json.dump(kept, target, indent=2)
        Path(temporary).replace(path)
    except OSError as error:
        raise ApiProblem(f"{path} cannot be written: {error}") from None
