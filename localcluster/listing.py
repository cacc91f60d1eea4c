"""Lists in pages: every page of one list shows the same moment, as long as its continue token lives."""

from __future__ import annotations

import base64
import json
import time
from bisect import bisect_left
from dataclasses import dataclass

from localcluster import selectors
from localcluster.api import ApiAnswer, ApiCall, encode
from localcluster.errors import StatusError, bad_request
from localcluster.store import Key, Store, Stored

_EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    made_at: float
    items: list[Stored]


class Lists:
    def __init__(self, store: Store, continue_ttl: float) -> None:
        self.store, self.continue_ttl = store, continue_ttl
        self._snapshots: dict[tuple[str, str, int], _Snapshot] = {}

    def page(self, call: ApiCall, *, metadata_only: bool = False) -> ApiAnswer:
        limit = int(call.query.get("limit") or 0)
        token, resource = call.query.get("continue", ""), call.resource
        items, version, start = self._continued(call, token) if token else (self._now(call), self.store.version, None)
        if start:
            items = items[bisect_left(items, start, key=lambda item: item.key) :]
        chosen = matching(call, items)
        more = limit and len(chosen) > limit
        meta: dict[str, object] = {"resourceVersion": str(version)}
        if more:
            self._keep(call, version, items)
            meta["continue"] = _token(version, chosen[limit - 1].key)
            if not call.query.get("labelSelector") and not call.query.get("fieldSelector"):
                meta["remainingItemCount"] = len(chosen) - limit
            chosen = chosen[:limit]
        kind, api_version = f"{resource.kind}List", resource.api_version
        bodies = [item.body for item in chosen]
        if metadata_only:
            kind, api_version = "PartialObjectMetadataList", "meta.k8s.io/v1"
            bodies = [encode({"metadata": item.meta}) for item in chosen]
        head = encode({"kind": kind, "apiVersion": api_version, "metadata": meta})
        return ApiAnswer(200, head[:-1] + b',"items":[' + b",".join(bodies) + b"]}")

    def _now(self, call: ApiCall) -> list[Stored]:
        wanted = call.query.get("resourceVersion", "")
        if wanted.isdigit() and int(wanted) > self.store.version:
            raise too_large(int(wanted), self.store.version)
        if wanted and call.query.get("resourceVersionMatch") == "Exact" and int(wanted) != self.store.version:
            raise StatusError(410, "Expired", "The resourceVersion for the provided list is too old.")
        return self.store.objects(call.resource, call.namespace or None)

    def _continued(self, call: ApiCall, token: str) -> tuple[list[Stored], int, Key]:
        version, start = _read_token(token)
        if version < 0:
            return self.store.objects(call.resource, call.namespace or None), self.store.version, start
        self._forget_old()
        snapshot = self._snapshots.get((call.resource.qualified, call.namespace, version))
        if snapshot is None:
            raise StatusError(410, "Expired", _EXPIRED, metadata={"continue": _token(-1, start, after=False)})
        return snapshot.items, version, start

    def _keep(self, call: ApiCall, version: int, items: list[Stored]) -> None:
        self._forget_old()
        place = (call.resource.qualified, call.namespace, version)
        present = self._snapshots.get(place)
        if present is None or len(items) > len(present.items):
            self._snapshots[place] = _Snapshot(time.monotonic(), items)

    def _forget_old(self) -> None:
        oldest = time.monotonic() - self.continue_ttl
        self._snapshots = {place: s for place, s in self._snapshots.items() if s.made_at >= oldest}


def matching(call: ApiCall, items: list[Stored]) -> list[Stored]:
    for predicate in predicates(call):
        items = [item for item in items if predicate(item.obj)]
    return items


def predicates(call: ApiCall) -> list[selectors.Predicate]:
    found = (
        selectors.labels_predicate(call.query.get("labelSelector", "")),
        selectors.fields_predicate(call.resource, call.query.get("fieldSelector", "")),
    )
    return [predicate for predicate in found if predicate]


def too_large(wanted: int, current: int) -> StatusError:
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    text = f"Timeout: Too large resource version: {wanted}, current: {current}"
    return StatusError(504, "Timeout", text, {"causes": [cause], "retryAfterSeconds": 1})


def _token(version: int, key: Key, *, after: bool = True) -> str:
    start = f"{key[0]}/{key[1]}" + ("\0" if after and not key[1].endswith("\0") else "")
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, Key]:
    try:
        raw = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, _, name = raw["start"].partition("/")
        return int(raw["rv"]), (namespace, name)
    except (ValueError, KeyError, TypeError):
        raise bad_request(
            "invalid continue token: continue key is not valid: invalid character looking for beginning of value"
        ) from None
