"""Events as the cluster's components record them: repeated ones are counted, old ones expire."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from localcluster.resources import EVENTS
from localcluster.store import Store, Stored, seconds, timestamp

SCHEDULER = "default-scheduler"  # writes events of events.k8s.io/v1 style, the others those of core/v1


class Recorder:
    def __init__(self, store: Store) -> None:
        self.store = store
        self._seen: dict[tuple[str, ...], str] = {}

    def record(
        self,
        about: Stored,
        reason: str,
        message: str,
        *,
        by: str,
        warning: bool = False,
        host: str = "",
        container: str = "",
        action: str = "",
    ) -> None:
        """`by`: the component; `host`: the node for the kubelet; `container`: what it concerns within the pod."""
        if by != SCHEDULER and self._count_again(about, reason, message, by):
            return
        involved: dict[str, Any] = {"kind": about.resource.kind}
        if about.key[0]:
            involved["namespace"] = about.key[0]
        involved |= {
            "name": about.key[1],
            "uid": about.uid,
            "apiVersion": about.resource.api_version,
            "resourceVersion": about.meta["resourceVersion"],
        }
        if container:
            involved["fieldPath"] = f"spec.containers{{{container}}}"
        namespace = about.key[0] or "default"
        name = f"{about.key[1]}.{time.time_ns():x}"
        event: dict[str, Any] = {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "reason": reason,
            "message": message,
        }
        now = timestamp()
        if by == SCHEDULER:
            event |= {"source": {}, "firstTimestamp": None, "lastTimestamp": None}
        else:
            source = {"component": by} | ({"host": host} if host else {})
            event |= {"source": source, "firstTimestamp": now, "lastTimestamp": now, "count": 1}
        event["type"] = "Warning" if warning else "Normal"
        if by == SCHEDULER:
            exact = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            event |= {
                "eventTime": exact,
                "action": action,
                "reportingComponent": by,
                "reportingInstance": f"{by}-local",
            }
        else:
            event |= {"eventTime": None, "reportingComponent": by, "reportingInstance": host}
            self._seen[about.uid, reason, message, by] = name
        self.store.create(EVENTS, event)

    def _count_again(self, about: Stored, reason: str, message: str, by: str) -> bool:
        name = self._seen.get((about.uid, reason, message, by))
        present = self.store.find(EVENTS, (about.key[0] or "default", name)) if name else None
        if not present:
            return False
        event = present.clone()
        event |= {"count": event["count"] + 1, "lastTimestamp": timestamp()}
        self.store.update(EVENTS, event)
        return True

    def expire(self, ttl: float) -> None:
        oldest = time.time() - ttl
        for event in self.store.objects(EVENTS):
            last = event.obj["lastTimestamp"] or event.meta["creationTimestamp"]
            if seconds(last) >= oldest:
                continue
            self.store.remove(event)
        self._seen = {key: name for key, name in self._seen.items() if self._alive(name)}

    def _alive(self, name: str) -> bool:
        return int(name.rpartition(".")[2], 16) / 1e9 > time.time() - 7200
