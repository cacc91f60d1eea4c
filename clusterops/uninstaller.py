"""Remove the control plane; tenants' namespaces and data only when told."""

from collections.abc import Iterator

from clusterops import manifests
from clusterops.gateway import KubeApi
from clusterops.installer import PART_OF, SECRET, Step, delete, find, namespace_of, path_of
from clusterops.kustomize import Manifest, name_of

KEPT = {"Namespace", "PersistentVolumeClaim"}


def tenant_namespaces(api: KubeApi) -> list[str]:
    """Every namespace that the reconciler made."""
    query = {"labelSelector": f"{manifests.MANAGED_BY}=sumok8"}
    return sorted(item["metadata"]["name"] for item in api.items("/api/v1/namespaces", query=query))


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

    for manifest in reversed(objects):
        if manifest["kind"] not in KEPT:
            yield gone(name_of(manifest), path_of(manifest))
    for name in tenant_namespaces(api) if tenants else ():
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
