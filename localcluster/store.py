"""All objects in memory, with SQLite as the journal that survives a kill -9.

Objects are immutable once stored: whoever changes one works on a `clone` and puts it back. Every write is handed to the
operating system before the call returns; no fsync, since this cluster need not survive a power cut.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from localcluster.errors import already_exists, modified, not_found
from localcluster.resources import ALL, Resource

Key = tuple[str, str]  # namespace ("" for cluster-wide kinds), name
_META_ORDER = (
    "name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
    "deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers",
    "managedFields",
)  # fmt: skip


def timestamp(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """Unix time of an API timestamp (with or without fractions)."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@dataclass(frozen=True, slots=True)
class Stored:
    resource: Resource
    key: Key
    version: int
    obj: dict[str, Any]
    body: bytes  # JSON without kind and apiVersion, as it stands in lists

    @property
    def full(self) -> bytes:
        head = f'{{"kind":"{self.resource.kind}","apiVersion":"{self.resource.api_version}",'
        return head.encode() + self.body[1:]

    @property
    def meta(self) -> dict[str, Any]:
        return self.obj["metadata"]

    @property
    def uid(self) -> str:
        return self.obj["metadata"]["uid"]

    def clone(self) -> dict[str, Any]:
        return json.loads(self.body)

    def document(self) -> dict[str, Any]:
        return {"kind": self.resource.kind, "apiVersion": self.resource.api_version, **self.clone()}


@dataclass(frozen=True, slots=True)
class Change:
    type: str  # ADDED, MODIFIED, DELETED
    version: int
    old: Stored | None
    new: Stored  # for DELETED: the last state, at the version of the deletion

    @property
    def resource(self) -> Resource:
        return self.new.resource


class Store:
    """Tables of objects with one growing resourceVersion, a bounded history for watches, and change listeners."""

    def __init__(self, path: Path, *, history: int) -> None:
        self._tables: dict[Resource, dict[Key, Stored]] = {resource: {} for resource in ALL}
        self._order: dict[Resource, list[Key]] = {resource: [] for resource in ALL}
        self.history: dict[Resource, deque[Change]] = {resource: deque(maxlen=history) for resource in ALL}
        self.listeners: list[Callable[[Change], None]] = []
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
            "CREATE TABLE IF NOT EXISTS objects (resource TEXT, namespace TEXT, name TEXT, version INTEGER, body BLOB,"
            " PRIMARY KEY (resource, namespace, name)) WITHOUT ROWID;"
            "CREATE TABLE IF NOT EXISTS state (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER);"
            "INSERT OR IGNORE INTO state VALUES (1, 1);"
        )
        self.version: int = self._db.execute("SELECT version FROM state").fetchone()[0]
        self._load()
        # watches from before this process started cannot be served
        self.oldest: dict[Resource, int] = dict.fromkeys(ALL, self.version)

    def _load(self) -> None:
        by_name = {resource.qualified: resource for resource in ALL}
        for name, namespace, own, version, body in self._db.execute("SELECT * FROM objects ORDER BY 1, 2, 3"):
            resource = by_name[name]
            self._tables[resource][namespace, own] = Stored(
                resource, (namespace, own), version, json.loads(body), bytes(body)
            )
            self._order[resource].append((namespace, own))
            self.version = max(self.version, version)

    def close(self) -> None:
        self._db.close()

    # reading

    def get(self, resource: Resource, namespace: str, name: str) -> Stored:
        try:
            return self._tables[resource][namespace, name]
        except KeyError:
            raise not_found(resource, name) from None

    def find(self, resource: Resource, key: Key) -> Stored | None:
        return self._tables[resource].get(key)

    def objects(self, resource: Resource, namespace: str | None = None) -> list[Stored]:
        """Objects in the order of the API server: by namespace, then name."""
        table, order = self._tables[resource], self._order[resource]
        if namespace is None:
            return [table[key] for key in order]
        return [table[key] for key in self._range(order, namespace)]

    @staticmethod
    def _range(order: list[Key], namespace: str) -> Iterator[Key]:
        return iter(order[bisect_left(order, (namespace, "")) : bisect_left(order, (namespace + "\0", ""))])

    # writing

    def create(self, resource: Resource, obj: dict[str, Any]) -> Stored:
        """Stamps uid, creationTimestamp and generation. Raises 409 if the name is taken."""
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        if present := self._tables[resource].get(key):
            raise already_exists(resource, meta["name"], deleting="deletionTimestamp" in present.meta)
        meta.setdefault("uid", str(uuid.uuid4()))
        meta["creationTimestamp"] = timestamp()
        if resource.generation:
            meta["generation"] = 1
        insort(self._order[resource], key)
        return self._put(resource, key, obj, None)

    def update(self, resource: Resource, obj: dict[str, Any], *, expected: str | None = None) -> Stored:
        """Replaces an object; one that did not change keeps its version. `expected`: 409 unless at that version."""
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        old = self.get(resource, *key)
        if expected and expected != old.meta["resourceVersion"]:
            raise modified(resource, meta["name"])
        meta["resourceVersion"] = old.meta["resourceVersion"]
        if resource.generation and _wish(obj) != _wish(old.obj):
            meta["generation"] = old.meta.get("generation", 1) + 1
        return old if obj == old.obj else self._put(resource, key, obj, old)

    def remove(self, stored: Stored) -> Stored:
        table = self._tables[stored.resource]
        last = table.pop(stored.key)
        order = self._order[stored.resource]
        del order[bisect_left(order, stored.key)]
        gone = self._stamp(stored.resource, stored.key, last.clone())
        with self._db:
            self._db.execute("BEGIN")
            self._db.execute(
                "DELETE FROM objects WHERE resource=? AND namespace=? AND name=?",
                (stored.resource.qualified, *stored.key),
            )
            self._db.execute("UPDATE state SET version=?", (self.version,))
        self._tell(Change("DELETED", gone.version, last, gone))
        return gone

    def _put(self, resource: Resource, key: Key, obj: dict[str, Any], old: Stored | None) -> Stored:
        stored = self._stamp(resource, key, obj)
        self._tables[resource][key] = stored
        self._db.execute(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?)",
            (resource.qualified, *key, stored.version, stored.body),
        )
        self._tell(Change("MODIFIED" if old else "ADDED", stored.version, old, stored))
        return stored

    def _stamp(self, resource: Resource, key: Key, obj: dict[str, Any]) -> Stored:
        self.version += 1
        meta = obj["metadata"]
        meta["resourceVersion"] = str(self.version)
        ordered = {name: meta[name] for name in _META_ORDER if name in meta and meta[name] not in (None, [], {})}
        obj = {"metadata": ordered, **{k: v for k, v in obj.items() if k not in ("metadata", "kind", "apiVersion")}}
        body = json.dumps(obj, separators=(",", ":"), ensure_ascii=False).encode()
        return Stored(resource, key, self.version, json.loads(body), body)

    def _tell(self, change: Change) -> None:
        history = self.history[change.resource]
        if history.maxlen == len(history):
            self.oldest[change.resource] = history[0].version
        history.append(change)
        for listener in self.listeners:
            listener(change)


def _wish(obj: dict[str, Any]) -> dict[str, Any]:
    """The part of the spec whose changes count as generations: a scheduler's binding does not."""
    return {name: value for name, value in obj.get("spec", {}).items() if name != "nodeName"}
