"""JSON patch (RFC 6902) and merge patch (RFC 7386); strategic merge patch where it differs little from the latter."""

from __future__ import annotations

import json
from typing import Any

from localcluster.errors import StatusError, bad_request

_MERGE_KEYS = {"conditions": "type", "containers": "name", "env": "name", "volumes": "name", "taints": "key"}


def merge(target: Any, patch: Any, *, strategic: bool = False, field: str = "") -> Any:
    """The merged copy. Strategic: lists of named things merge by their key, lists of plain values are replaced."""
    if isinstance(patch, list) and isinstance(target, list) and strategic and field in _MERGE_KEYS:
        return _merge_lists(target, patch, _MERGE_KEYS[field])
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value, strategic=strategic, field=name)
    return result


def _merge_lists(target: list[Any], patch: list[Any], key: str) -> list[Any]:
    result = list(target)
    for item in patch:
        at = next((i for i, present in enumerate(result) if present.get(key) == item.get(key)), None)
        if item.get("$patch") == "delete":
            result = [present for present in result if present.get(key) != item.get(key)]
        elif at is None:
            result.append(item)
        else:
            result[at] = merge(result[at], item, strategic=True)
    return result


def json_patch(target: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """Supports add, replace, remove and test. Raises 400 or 422 as the API server."""
    result = json.loads(json.dumps(target))
    for operation in operations:
        steps = [s.replace("~1", "/").replace("~0", "~") for s in operation.get("path", "").split("/")[1:]]
        if not steps:
            raise bad_request("jsonpatch: a path is required")
        try:
            holder = result
            for step in steps[:-1]:
                holder = holder[int(step)] if isinstance(holder, list) else holder[step]
            _operate(holder, steps[-1], operation)
        except (KeyError, IndexError, ValueError, TypeError):
            text = f"the server rejected our request due to an error in our request: {operation.get('path')}"
            raise StatusError(422, "Invalid", text) from None
    return result


def _operate(holder: Any, last: str, operation: dict[str, Any]) -> None:
    kind, value = operation["op"], operation.get("value")
    index: Any = last
    if isinstance(holder, list):
        index = len(holder) if last == "-" else int(last)
    if kind == "add" and isinstance(holder, list):
        holder.insert(index, value)
    elif kind == "add":
        holder[index] = value
    elif kind == "replace":
        _ = holder[index]
        holder[index] = value
    elif kind == "remove":
        del holder[index]
    elif kind != "test" or holder[index] != value:
        raise ValueError(kind)
