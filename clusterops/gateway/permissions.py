"""Which Kubernetes rights each of our identities needs, by gateway method. The RBAC manifests are tested against it."""

from typing import Literal

from clusterops.objects import manifests

Right = tuple[str, str, str]  # apiGroup, resource, verb
Identity = Literal["web", "reconciler"]

_LIST_RUNS: set[Right] = {("batch", "jobs", "list"), ("", "pods", "list")}
_TENANT_OBJECTS = [(manifests.group_of(kind), kind) for kind in manifests.TENANT_OBJECTS | manifests.KUEUE_OBJECTS]

# Server-side apply of a new object needs `create` besides `patch`.
BY_METHOD: dict[str, set[Right]] = {
    "ensure_namespace": {("", "namespaces", verb) for verb in ("get", "create", "patch")}
    | {(group, resource, verb) for group, resource in _TENANT_OBJECTS for verb in ("create", "patch")},
    "inspect_namespaces": {("", "namespaces", "list")} | {(group, kind, "list") for group, kind in _TENANT_OBJECTS},
    "namespaces": {("", "namespaces", "list")},
    "list_runs": _LIST_RUNS | {("", "events", "list")},
    "start_run": {("batch", "jobs", "create"), ("batch", "jobs", "get")},
    "run_exists": {("batch", "jobs", "get")},
    "delete_run": {("batch", "jobs", "delete")},
    "release_run": {("batch", "jobs", "patch")},
    "read_log": {("", "pods/log", "get")},
    "certificate_ends_at": set(),  # of what this process holds itself
    "ended_runs": set(),  # as `watch` told
    "list_runs_and_snapshot": _LIST_RUNS | {("", "events", "list"), ("", "nodes", "list")},
    "snapshot": _LIST_RUNS | {("", "nodes", "list")},
    "pool_limits": {("karpenter.sh", "nodepools", "get")},
    "usage": {("", "pods", "list")},
    "watch": {("batch", "jobs", "watch"), ("", "pods", "watch")} | _LIST_RUNS,
}

METHODS: dict[Identity, tuple[str, ...]] = {
    "web": ("read_log", "snapshot", "usage"),
    "reconciler": tuple(method for method in BY_METHOD if method not in {"snapshot", "usage"}),
}

# To make a RoleBinding its maker needs the role's rights himself, or this on that one ClusterRole.
BIND: Right = ("rbac.authorization.k8s.io", "clusterroles", "bind")  # resourceNames: sumok8-tenant


def needed_by(identity: Identity) -> set[Right]:
    """Every right that `identity` uses, wherever it is granted (cluster-wide or in tenants' namespaces)."""
    return {right for method in METHODS[identity] for right in BY_METHOD[method]}
