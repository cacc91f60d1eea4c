"""Watches: a stream of changes from the store's history, with bookmarks, selectors and 410 for what is too old."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

from localcluster.api import ApiCall, encode
from localcluster.errors import StatusError
from localcluster.listing import predicates
from localcluster.resources import JOBS
from localcluster.selectors import Predicate
from localcluster.store import Change, Store


class ChangeSignal:
    """Wakes all watches on the loop after a change."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, timeout: float) -> None:
        try:
            await asyncio.wait_for(self._event.wait(), timeout)
        except TimeoutError:
            return


def expired(wanted: int, current: int) -> dict[str, object]:
    return StatusError(410, "Expired", f"too old resource version: {wanted} ({current})").status()


async def stream(store: Store, doorbell: ChangeSignal, call: ApiCall, bookmark_s: float) -> AsyncIterator[bytes]:
    """One JSON line per change until `timeoutSeconds`; a version too old ends in one ERROR line."""
    tests = predicates(call)
    wanted = call.query.get("resourceVersion", "")
    deadline = time.monotonic() + float(call.query.get("timeoutSeconds") or 1800)
    bookmarks = call.query.get("allowWatchBookmarks") == "true"
    seen = int(wanted) if wanted.isdigit() and wanted != "0" else store.version
    if not wanted or wanted == "0":
        for stored in store.objects(call.resource, call.namespace or None):
            if all(test(stored.obj) for test in tests):
                yield _line("ADDED", stored.full)
    next_bookmark = time.monotonic() + bookmark_s
    while True:
        if seen < store.oldest[call.resource]:
            yield _line("ERROR", encode(expired(seen, store.version)))
            return
        current = store.version
        for change in _since(store, call, seen):
            if line := _as_seen(change, tests):
                yield line
        seen = current
        now = time.monotonic()
        if now >= deadline:
            return
        if bookmarks and now >= next_bookmark:
            next_bookmark = now + bookmark_s
            yield _line("BOOKMARK", _bookmark(call, seen))
        if store.version == seen:
            await doorbell.wait(min(deadline, next_bookmark) - now if bookmarks else deadline - now)


def _since(store: Store, call: ApiCall, version: int) -> list[Change]:
    found: list[Change] = []
    for change in reversed(store.history[call.resource]):
        if change.version <= version:
            break
        if not call.namespace or change.new.key[0] == call.namespace:
            found.append(change)
    return found[::-1]


def _as_seen(change: Change, tests: list[Predicate]) -> bytes | None:
    """With a selector, objects that begin to match are ADDED and those that no longer do are DELETED."""
    now = all(test(change.new.obj) for test in tests)
    before = change.old is not None and all(test(change.old.obj) for test in tests)
    if change.type == "DELETED":
        return _line("DELETED", change.new.full) if before else None
    if now:
        return _line("MODIFIED" if before else "ADDED", change.new.full)
    return _line("DELETED", change.new.full) if before else None


def _line(kind: str, body: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (kind.encode(), body)


def _bookmark(call: ApiCall, version: int) -> bytes:
    head = {"kind": call.resource.kind, "apiVersion": call.resource.api_version}
    rest: dict[str, object] = {}
    if call.resource is JOBS:  # the empty Job, as Go prints it
        rest = {"spec": {"template": {"metadata": {}, "spec": {"containers": None}}}, "status": {}}
    return encode({**head, "metadata": {"resourceVersion": str(version)}, **rest})
