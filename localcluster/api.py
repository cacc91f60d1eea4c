"""The verbs of the API on stored objects: create, read, update, patch, delete, evict. No HTTP in here."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from localcluster import admission, apply, defaults, lifecycle, patches, podstatus, validation
from localcluster.errors import StatusError, bad_request, invalid_kind
from localcluster.resources import JOBS, NAMESPACES, PODS, Resource
from localcluster.store import Store, Stored

_FIXED_META = (
    "name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
STRATEGIC, JSON_PATCH = "application/strategic-merge-patch+json", "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request, taken apart."""

    method: str
    resource: Resource
    namespace: str = ""  # empty: all namespaces, or a cluster-wide kind
    name: str = ""
    subresource: str = ""
    query: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    manager: str = "unknown"

    @property
    def dry_run(self) -> bool:
        return self.query.get("dryRun") == "All"


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    status: int
    body: bytes
    warning: str | None = None


def encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Api:
    def __init__(self, store: Store, quotas: admission.Quotas) -> None:
        self.store, self.quotas = store, quotas

    def get(self, call: ApiCall) -> ApiAnswer:
        return ApiAnswer(200, self._stored(call).full)

    def _stored(self, call: ApiCall) -> Stored:
        return self.store.get(call.resource, call.namespace, call.name)

    # create

    def create(self, call: ApiCall, body: dict[str, Any]) -> ApiAnswer:
        if call.resource is PODS and call.subresource == "eviction":
            return self._evict(call)
        return self._create(call, body, 201)

    def _create(self, call: ApiCall, body: dict[str, Any], status: int) -> ApiAnswer:
        resource = call.resource
        validation.check_shape(resource, body)
        if call.query.get("fieldValidation") == "Strict":
            validation.check_fields(resource, body)
        obj = {k: v for k, v in json.loads(json.dumps(body)).items() if k not in ("kind", "apiVersion", "status")}
        meta = obj.setdefault("metadata", {})
        if meta.get("namespace", call.namespace) != call.namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise bad_request(text)
        for name in ("uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "managedFields"):
            meta.pop(name, None)
        if resource.namespaced:
            meta["namespace"] = call.namespace
            admission.check_namespace(self.store, resource, call.namespace, meta.get("name", ""))
        validation.check(resource, obj | {"metadata": meta | _generated(meta)})
        defaults.apply(resource, obj)
        warning = self._admit(resource, obj)
        apply.track_update(resource, None, obj, call.manager)
        if call.dry_run:
            return ApiAnswer(status, encode({"kind": resource.kind, "apiVersion": resource.api_version, **obj}))
        if resource is JOBS:
            self._name_job(obj)
        return ApiAnswer(status, self.store.create(resource, obj).full, warning)

    def _admit(self, resource: Resource, obj: dict[str, Any]) -> str | None:
        if resource is PODS:
            admission.admit_pod(self.store, self.quotas, obj)
        elif resource is JOBS:
            admission.admit_quota(self.quotas, JOBS, obj)
            return admission.job_warning(self.store, obj)
        return None

    def _name_job(self, job: dict[str, Any]) -> None:
        job["metadata"]["uid"] = str(uuid.uuid4())
        defaults.stamp_job_labels(job)

    # change

    def replace(self, call: ApiCall, body: dict[str, Any]) -> ApiAnswer:
        validation.check_shape(call.resource, body)
        stored = self._stored(call)
        return self._save(call, stored, body, body.get("metadata", {}).get("resourceVersion"))

    def patch(self, call: ApiCall, body: Any) -> ApiAnswer:
        if call.content_type == APPLY:
            return self._apply(call, body)
        stored = self._stored(call)
        if call.content_type == JSON_PATCH:
            changed = patches.json_patch(stored.document(), body)
        elif call.content_type in (MERGE, STRATEGIC):
            changed = patches.merge(stored.document(), body, strategic=call.content_type == STRATEGIC)
        else:
            raise StatusError(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include: "
                f"{JSON_PATCH}, {MERGE}, {STRATEGIC}, {APPLY}",
            )
        validation.check_shape(call.resource, changed)
        expected = body.get("metadata", {}).get("resourceVersion") if isinstance(body, dict) else None
        return self._save(call, stored, changed, expected)

    def _apply(self, call: ApiCall, body: dict[str, Any]) -> ApiAnswer:
        manager = call.query.get("fieldManager", "")
        if not manager:
            cause = ("FieldValueRequired", "Required value: is required for apply patch", "fieldManager")
            raise invalid_kind("PatchOptions.meta.k8s.io", "meta.k8s.io", "PatchOptions", "", [cause])
        validation.check_shape(call.resource, body)
        stored = self.store.find(call.resource, (call.namespace, call.name))
        if stored is None:
            fresh = {**body, "metadata": {**body.get("metadata", {}), "name": call.name}}
            created = self._create(call, fresh, 201)
            return created if call.resource in apply.UNTRACKED or call.dry_run else self._own(call, body, manager)
        body = apply_body(call.resource, body)
        force = call.query.get("force") == "true"
        merged = apply.merge(call.resource, stored.clone(), body, manager, force=force)
        return self._save(call, stored, merged, body.get("metadata", {}).get("resourceVersion"), tracked=True)

    def _own(self, call: ApiCall, body: dict[str, Any], manager: str) -> ApiAnswer:
        """The applied fields of a new object belong to the applier, not to an update."""
        stored = self._stored(call)
        obj = stored.clone()
        obj["metadata"].pop("managedFields", None)
        owned = apply.merge(call.resource, obj, apply_body(call.resource, body), manager, force=True)
        return ApiAnswer(201, self.store.update(call.resource, owned).full)

    def _save(
        self, call: ApiCall, stored: Stored, changed: dict[str, Any], expected: str | None, *, tracked: bool = False
    ) -> ApiAnswer:
        resource, old = call.resource, stored.obj
        obj = {k: v for k, v in changed.items() if k not in ("kind", "apiVersion")}
        if call.subresource == "status":
            obj = stored.clone() | {"status": obj.get("status", {})}
        elif "status" in old:
            obj["status"] = stored.clone()["status"]
        meta = obj["metadata"] = {**obj.get("metadata", {})}
        for name in _FIXED_META:
            meta.pop(name, None)
        meta |= {name: old["metadata"][name] for name in _FIXED_META if name in old["metadata"]}
        if resource is NAMESPACES:
            obj["spec"] = stored.clone()["spec"]
            meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = meta["name"]
        if call.subresource != "status":
            defaults.canonical(resource, obj)
        validation.check_update(resource, old, obj)
        if not tracked:
            meta["managedFields"] = stored.clone()["metadata"].get("managedFields", [])
            apply.track_update(resource, old, obj, call.manager)
        if call.dry_run:
            return ApiAnswer(200, encode({"kind": resource.kind, "apiVersion": resource.api_version, **obj}))
        if expected and expected != stored.meta["resourceVersion"]:
            self.store.update(resource, stored.clone(), expected=expected)
        return ApiAnswer(200, (lifecycle.update_or_finish(self.store, resource, obj) or stored).full)

    # end

    def delete(self, call: ApiCall, options: dict[str, Any]) -> ApiAnswer:
        for name in ("propagationPolicy", "gracePeriodSeconds"):
            if name in call.query:
                value: Any = call.query[name]
                options = {name: int(value) if value.isdigit() else value} | options
        if "orphanDependents" in call.query:
            options = {"orphanDependents": call.query["orphanDependents"] == "true"} | options
        stored = self._stored(call)
        if call.dry_run:
            return ApiAnswer(200, encode(lifecycle.success(stored)))
        return ApiAnswer(200, encode(lifecycle.delete(self.store, stored, options)))

    def _evict(self, call: ApiCall) -> ApiAnswer:
        pod = self._stored(call)
        if not podstatus.is_terminal(pod.obj) and "deletionTimestamp" not in pod.meta:
            obj = pod.clone()
            text = "Eviction API: evicting"
            podstatus.set_condition(obj, "DisruptionTarget", "True", "EvictionByEvictionAPI", text)
            pod = self.store.update(PODS, obj)
        lifecycle.delete_pod(self.store, pod, None)
        success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return ApiAnswer(201, encode(success))


def apply_body(resource: Resource, body: dict[str, Any]) -> dict[str, Any]:
    """A copy as the API server reads it, so that "1000" meets "1k" as the same value."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    defaults.canonical(resource, copy)
    return copy


def _generated(meta: dict[str, Any]) -> dict[str, Any]:
    """A name to check in place of the one that generateName will bring."""
    return {} if meta.get("name") or not meta.get("generateName") else {"name": meta["generateName"] + "x"}


def subject_access_review(body: dict[str, Any]) -> dict[str, Any]:
    """This cluster's one user may do everything."""
    head = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1"}
    return {**head, "metadata": {}, "spec": body.get("spec", {}), "status": {"allowed": True}}
