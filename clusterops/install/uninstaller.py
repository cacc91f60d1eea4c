"""Remove the control plane; tenants' namespaces and data only when told."""

from collections.abc import Iterator

from clusterops.gateway import KubeApi
from clusterops.gateway import path_of as path_of_kind
from clusterops.install.installer import PART_OF, SECRET, Step, delete, find, namespace_of, path_of
from clusterops.install.kustomize import Manifest, name_of
from clusterops.objects import manifests

KEPT = {"Namespace", "PersistentVolumeClaim"}
SHARED = {"ClusterRole", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


def tenant_namespaces(api: KubeApi, home: str) -> list[str]:
    """Every namespace that the reconciler in `home` made: its RoleBinding there tells, the database is not asked."""
    query = {"labelSelector": f"{manifests.MANAGED_BY}=sumok8"}
    marked = {item["metadata"]["name"] for item in api.items(path_of_kind("namespaces"), query=query)}
    return sorted(
        item["metadata"]["namespace"]
        for item in api.items(path_of_kind("rolebindings"), query=query)
        if item["metadata"]["namespace"] in marked
        and any(subject.get("namespace") == home for subject in item.get("subjects") or ())
    )


def _other_control_planes(api: KubeApi, objects: list[Manifest]) -> list[str]:
    """ClusterRoleBindings of other installations on this cluster: they share the cluster-wide roles and policies."""
    own = {manifest["metadata"]["name"] for manifest in objects if manifest["kind"] == "ClusterRoleBinding"}
    path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    found = api.items(path, query={"labelSelector": f"{PART_OF}=sumok8"})
    return sorted({item["metadata"]["name"] for item in found} - own)


def uninstall(
    api: KubeApi, objects: list[Manifest], *, data: bool, tenants: bool, dry_run: bool = False
) -> Iterator[Step]:
    """Delete what the overlay names, last things first; `data`: also volumes, Secret and Namespace.

    The reconciler goes before the tenants' namespaces, or it would make them anew. Raises GatewayError.
    """

    def gone(subject: str, path: str) -> Step:
        if dry_run:
            return Step(subject, "would be deleted" if find(api, path) else "is not there")
        return Step(subject, "deleted" if delete(api, path) else "is not there")

    others = _other_control_planes(api, objects)
    for manifest in reversed(objects):
        if manifest["kind"] in SHARED and others:
            yield Step(name_of(manifest), f"stays: {others[0]} needs it")
        elif manifest["kind"] not in KEPT:
            yield gone(name_of(manifest), path_of(manifest))
    for name in tenant_namespaces(api, namespace_of(objects)) if tenants else ():
        yield gone(f"Namespace/{name}", f"/api/v1/namespaces/{name}")
    if data:
        home = f"/api/v1/namespaces/{namespace_of(objects)}"
        for claim in _claims(api, home):
            yield gone(f"PersistentVolumeClaim/{claim}", f"{home}/persistentvolumeclaims/{claim}")
        yield gone(f"Secret/{SECRET}", f"{home}/secrets/{SECRET}")
        if others := _foreign_pods(api, home):
            yield Step(f"Namespace/{namespace_of(objects)}", f"stays: other pods live in it ({', '.join(others[:3])})")
        else:
            yield gone(f"Namespace/{namespace_of(objects)}", home)


def _claims(api: KubeApi, home: str) -> list[str]:
    """Volumes by label: the one of the trial database is made by its StatefulSet and is in no manifest."""
    items = api.items(f"{home}/persistentvolumeclaims", query={"labelSelector": f"{PART_OF}=sumok8"})
    return [item["metadata"]["name"] for item in items]


def _foreign_pods(api: KubeApi, home: str) -> list[str]:
    items = api.items(f"{home}/pods", query={"labelSelector": f"{PART_OF}!=sumok8"})
    return [item["metadata"]["name"] for item in items]
