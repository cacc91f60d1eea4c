"""Secrets in the system's keyring, where `keyring` is installed (`pip install 'sumok8[keyring]'`) and finds one."""

from __future__ import annotations

from typing import Any

SERVICE = "sumok8"
LEAST_PRIORITY = 1  # of its backends: below are those that keep plain text, and the one that only fails


def keep(name: str, secret: str) -> bool:
    """Whether it is kept: one that is locked, or refuses long secrets, counts as none."""
    ring = _ring()
    if ring is None:
        return False
    try:
        ring.set_password(SERVICE, name, secret)
        return bool(ring.get_password(SERVICE, name) == secret)
    except Exception:  # noqa: BLE001 - each backend has errors of its own
        return False


def find(name: str) -> str | None:
    ring = _ring()
    try:
        return None if ring is None else ring.get_password(SERVICE, name)
    except Exception:  # noqa: BLE001
        return None


def forget(name: str) -> None:
    ring = _ring()
    try:
        if ring is not None:
            ring.delete_password(SERVICE, name)
    except Exception:  # noqa: BLE001, S110 - it was not there, or cannot be reached
        pass


def _ring() -> Any:
    try:
        import keyring
    except ImportError:
        return None
    try:
        ring = keyring.get_keyring()
        return ring if ring.priority >= LEAST_PRIORITY else None
    except Exception:  # noqa: BLE001
        return None
