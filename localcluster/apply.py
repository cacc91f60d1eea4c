"""Server-side apply: who set which field, conflicts between managers, fields that their manager gave up.

https://kubernetes.io/docs/reference/using-api/server-side-apply/ . Lists are taken as a whole (atomic).
"""

from __future__ import annotations

import json
from typing import Any

from localcluster.errors import StatusError
from localcluster.resources import EVENTS, JOBS, NODES, PODS, Resource
from localcluster.store import timestamp

Path = tuple[str, ...]
# kinds that controllers rewrite all the time and nobody applies twice: their ownership is not kept
UNTRACKED = (PODS, JOBS, EVENTS, NODES)
_IGNORED = ("kind", "apiVersion", "status")
_OWN_META = ("labels", "annotations", "finalizers")


def leaves(obj: dict[str, Any]) -> dict[Path, Any]:
    """Every field that a manager may own, with its value."""
    found: dict[Path, Any] = {}

    def walk(value: Any, path: Path) -> None:
        if isinstance(value, dict) and value:
            for name, below in value.items():
                walk(below, (*path, name))
        else:
            found[path] = value

    for name, value in obj.items():
        if name == "metadata":
            for own in _OWN_META:
                if own in value:
                    walk(value[own], ("metadata", own))
        elif name not in _IGNORED:
            walk(value, (name,))
    return found


def track_update(resource: Resource, old: dict[str, Any] | None, new: dict[str, Any], manager: str) -> None:
    """Enters what a create, update or patch changed in `new`'s managedFields."""
    if resource in UNTRACKED:
        return
    before, after = leaves(old) if old else {}, leaves(new)
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    if changed or before.keys() - after.keys():
        managers = _read(old)
        for fields in managers.values():
            fields -= changed | (before.keys() - after.keys())
        managers.setdefault((manager, "Update"), set()).update(changed)
        _write(resource, new, old, managers)


def merge(
    resource: Resource, live: dict[str, Any], body: dict[str, Any], manager: str, *, force: bool
) -> dict[str, Any]:
    """`live` with the applied `body`. Raises 409 if another manager set one of these fields to another value."""
    result = json.loads(json.dumps(live))
    wanted, present = leaves(body), leaves(live)
    managers = _read(live)
    own = managers.get((manager, "Apply"), set())
    contested: dict[str, list[Path]] = {}
    for (other, operation), fields in managers.items():
        clash = sorted(p for p in fields & wanted.keys() if present.get(p) != wanted[p])
        if (other, operation) != (manager, "Apply") and clash:
            contested.setdefault(other, []).extend(clash)
            if force:
                fields -= set(clash)
    if contested and not force:
        raise _conflict(resource, contested)
    elsewhere = {p for key, fields in managers.items() if key != (manager, "Apply") for p in fields}
    for path in own - wanted.keys() - elsewhere:
        _drop(result, path)
    for path, value in wanted.items():
        _put(result, path, value)
    managers[manager, "Apply"] = set(wanted)
    if resource not in UNTRACKED:
        _write(resource, result, live, managers)
    return result


def _conflict(resource: Resource, contested: dict[str, list[Path]]) -> StatusError:
    causes, texts, version = [], [], resource.api_version
    for manager, paths in contested.items():
        fields = ["." + ".".join(path) for path in paths]
        causes += [
            {"reason": "FieldManagerConflict", "message": f'conflict with "{manager}" using {version}', "field": field}
            for field in fields
        ]
        word, listed = (
            ("conflict", " " + fields[0]) if len(fields) == 1 else ("conflicts", "\n- " + "\n- ".join(fields))
        )
        texts.append(f'{word} with "{manager}" using {version}:{listed}')
    count = f"{len(causes)} conflict{'s' if len(causes) > 1 else ''}"
    return StatusError(409, "Conflict", f"Apply failed with {count}: " + "; ".join(texts), {"causes": causes})


def _put(obj: dict[str, Any], path: Path, value: Any) -> None:
    for name in path[:-1]:
        below = obj.get(name)
        obj[name] = below if isinstance(below, dict) else {}
        obj = obj[name]
    obj[path[-1]] = value


def _drop(obj: dict[str, Any], path: Path) -> None:
    for name in path[:-1]:
        obj = obj.get(name, {})
    obj.pop(path[-1], None)


def _read(obj: dict[str, Any] | None) -> dict[tuple[str, str], set[Path]]:
    entries = obj["metadata"].get("managedFields", []) if obj else []
    return {(entry["manager"], entry["operation"]): _paths(entry["fieldsV1"]) for entry in entries}


def _paths(fields: dict[str, Any], prefix: Path = ()) -> set[Path]:
    found: set[Path] = set()
    for name, below in fields.items():
        path = (*prefix, name.removeprefix("f:"))
        found |= _paths(below, path) if below else {path}
    return found


def _write(
    resource: Resource, obj: dict[str, Any], old: dict[str, Any] | None, managers: dict[tuple[str, str], set[Path]]
) -> None:
    known = {(e["manager"], e["operation"]): e for e in (old["metadata"].get("managedFields", []) if old else [])}
    entries = []
    for (manager, operation), paths in managers.items():
        if not paths:
            continue
        fields: dict[str, Any] = {}
        for path in sorted(paths):
            _put(fields, tuple(f"f:{name}" for name in path), {})
        entry = {"manager": manager, "operation": operation, "apiVersion": resource.api_version, "time": timestamp()}
        before = known.get((manager, operation))
        if before and before["fieldsV1"] == fields:
            entry["time"] = before["time"]
        entries.append(entry | {"fieldsType": "FieldsV1", "fieldsV1": fields})
    obj["metadata"]["managedFields"] = entries
