"""How objects go away: grace periods, finalizers, propagation to children, namespaces being emptied."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from localcluster import podstatus
from localcluster.errors import StatusError
from localcluster.resources import ALL, EVENTS, JOBS, NAMESPACES, PODS, Resource
from localcluster.store import Store, Stored, timestamp

Options = dict[str, Any]


def success(stored: Stored) -> dict[str, Any]:
    details: dict[str, Any] = {"name": stored.key[1]}
    if stored.resource.group:
        details["group"] = stored.resource.group
    details |= {"kind": stored.resource.plural, "uid": stored.uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def delete(store: Store, stored: Stored, options: Options) -> dict[str, Any]:
    """Deletes as the API server does and returns its answer's body."""
    _check_preconditions(stored, options)
    if stored.resource is PODS:
        return delete_pod(store, stored, options.get("gracePeriodSeconds")).document()
    if stored.resource is NAMESPACES:
        return _delete_namespace(store, stored).document()
    if stored.resource is JOBS:
        return _delete_job(store, stored, options)
    return _mark_deleted(store, stored).document() if stored.meta.get("finalizers") else success(remove(store, stored))


def _check_preconditions(stored: Stored, options: Options) -> None:
    wanted = options.get("preconditions") or {}
    present = {"uid": stored.uid, "resourceVersion": stored.meta["resourceVersion"]}
    for field, value in wanted.items():
        if value and present.get(field) != value:
            resource, name = stored.resource, stored.key[1]
            why = f"the {field.upper()} in the precondition ({value}) does not match the {field.upper()} in record"
            message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": Precondition failed: {why}'
            raise StatusError(
                409, "Conflict", message, {"name": name, "group": resource.group, "kind": resource.plural}
            )


def remove(store: Store, stored: Stored) -> Stored:
    """The object is gone; children that name it as owner follow in the background."""
    gone = store.remove(stored)
    if stored.resource is JOBS:
        for pod in children(store, stored):
            delete_pod(store, _without_tracking(store, pod), None)
    return gone


def children(store: Store, owner: Stored) -> list[Stored]:
    return [pod for pod in store.objects(PODS, owner.key[0]) if owned_by(pod, owner.uid)]


def owned_by(pod: Stored, uid: str) -> bool:
    return any(reference["uid"] == uid for reference in pod.meta.get("ownerReferences", []))


def _delete_job(store: Store, job: Stored, options: Options) -> dict[str, Any]:
    policy = options.get("propagationPolicy")
    if policy is None:
        # batch/v1 keeps this default of the first Job API: without a policy the pods stay
        policy = "Orphan" if options.get("orphanDependents") is not False else "Background"
    if policy == "Background":
        return success(remove(store, job))
    finalizer = "orphan" if policy == "Orphan" else "foregroundDeletion"
    marked = _mark_deleted(store, job, finalizer)
    answer = marked.document()
    if policy == "Orphan":
        for pod in children(store, job):
            obj = pod.clone()
            obj["metadata"].pop("ownerReferences", None)
            _drop_finalizer(obj, "batch.kubernetes.io/job-tracking")
            store.update(PODS, obj)
        store.remove(marked)
    else:
        for pod in children(store, job):
            delete_pod(store, _without_tracking(store, pod), None)
        finish_foreground(store, marked)
    return answer


def finish_foreground(store: Store, job: Stored) -> None:
    if "foregroundDeletion" in job.meta.get("finalizers", []) and not children(store, job):
        store.remove(job)


def _without_tracking(store: Store, pod: Stored) -> Stored:
    obj = pod.clone()
    _drop_finalizer(obj, "batch.kubernetes.io/job-tracking")
    return update_or_finish(store, PODS, obj) or pod


def _drop_finalizer(obj: dict[str, Any], finalizer: str) -> None:
    obj["metadata"]["finalizers"] = [f for f in obj["metadata"].get("finalizers", []) if f != finalizer]


def _mark_deleted(store: Store, stored: Stored, finalizer: str | None = None) -> Stored:
    if "deletionTimestamp" in stored.meta:
        return stored
    obj = stored.clone()
    meta = obj["metadata"]
    meta |= {"deletionTimestamp": timestamp(), "deletionGracePeriodSeconds": 0}
    if finalizer:
        meta["finalizers"] = [*meta.get("finalizers", []), finalizer]
    if stored.resource.generation:
        meta["generation"] = meta.get("generation", 1) + 1
    return store.update(stored.resource, obj)


def delete_pod(store: Store, pod: Stored, grace: int | None) -> Stored:
    """Starts a graceful end, or ends at once what never ran, has ended, or is told grace 0."""
    if store.find(PODS, pod.key) is not pod:
        return pod
    if grace is None:
        grace = pod.obj["spec"].get("terminationGracePeriodSeconds", 30)
    if not pod.obj["spec"].get("nodeName") or podstatus.is_terminal(pod.obj):
        grace = 0
    meta = pod.meta
    if "deletionTimestamp" in meta and grace >= meta.get("deletionGracePeriodSeconds", 0) and grace > 0:
        return pod
    obj = pod.clone()
    until = datetime.now(UTC) + timedelta(seconds=grace)
    if "deletionTimestamp" not in meta:
        obj["metadata"]["generation"] = meta.get("generation", 1) + 1
    obj["metadata"] |= {"deletionTimestamp": timestamp(until), "deletionGracePeriodSeconds": grace}
    if grace > 0:
        return store.update(PODS, obj)
    marked = store.update(PODS, obj)
    return marked if marked.meta.get("finalizers") else store.remove(marked)


def update_or_finish(store: Store, resource: Resource, obj: dict[str, Any]) -> Stored | None:
    """Stores a change; an object that waited only for its last finalizer to be taken goes (None)."""
    meta = obj["metadata"]
    stored = store.get(resource, meta.get("namespace", ""), meta["name"])
    waits = "deletionTimestamp" in meta and meta.get("deletionGracePeriodSeconds", 0) == 0
    if waits and not meta.get("finalizers") and stored.meta.get("finalizers") and resource is not NAMESPACES:
        store.remove(stored)
        return None
    return store.update(resource, obj)


def _delete_namespace(store: Store, namespace: Stored) -> Stored:
    if "deletionTimestamp" in namespace.meta:
        return namespace
    obj = namespace.clone()
    obj["metadata"]["deletionTimestamp"] = timestamp()
    obj["status"]["phase"] = "Terminating"
    return store.update(NAMESPACES, obj)


class NamespaceController:
    """Empties namespaces that are Terminating: pods first, then the rest, then the namespace itself."""

    def __init__(self, store: Store, delay: float) -> None:
        self.store, self.delay = store, delay
        self._since: dict[str, float] = {}

    def step(self) -> None:
        for namespace in self.store.objects(NAMESPACES):
            if "deletionTimestamp" in namespace.meta:
                since = self._since.setdefault(namespace.uid, time.monotonic())
                if time.monotonic() - since >= self.delay:
                    self._empty(namespace)

    def _empty(self, namespace: Stored) -> None:
        name = namespace.key[1]
        pods = self.store.objects(PODS, name)
        for pod in pods:
            if "deletionTimestamp" not in pod.meta:
                delete_pod(self.store, pod, None)
        if self.store.objects(PODS, name):
            return
        for resource in (r for r in ALL if r.namespaced and r is not EVENTS):
            for stored in self.store.objects(resource, name):
                self.store.remove(stored)
        for event in self.store.objects(EVENTS, name):
            self.store.remove(event)
        self._since.pop(namespace.uid, None)
        self.store.remove(namespace)
