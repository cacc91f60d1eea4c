"""Objects in the cluster that name no installation, or this one's former id, become this installation's.

An operator's identity does this: the service may not change pods.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from clusterops import errors, installation
from clusterops.gateway import MERGE, KubeApi, path_of
from clusterops.install.installer import find
from clusterops.models import Installation, TenantNamespace
from clusterops.objects import manifests

# Pods before their Jobs: a Job that is seen without its pods would be taken for one that lost them.
CONTENTS = ("pods", "jobs", *manifests.TENANT_OBJECTS)


def rename(*, dry_run: bool) -> str:
    """Let the database follow INSTALLATION_ID, and tell the id that counts from now on."""
    wanted = settings.INSTALLATION_ID
    if wanted and not dry_run:
        Installation.objects.update_or_create(pk=1, defaults={"name": wanted})
    return installation.own_id()


def adopt(api: KubeApi, cluster_id: int, *, former: str = "", dry_run: bool = False) -> Iterator[str]:
    """Say of each tenant's namespace what became of it. Repeatable. Raises GatewayError.

    Only a namespace that our rows know by its uid is ours; one that names an installation is left alone unless that
    is `former`.
    """
    mine = installation.own_id()
    for row in TenantNamespace.objects.filter(cluster=cluster_id).exclude(uid="").order_by("pk"):
        found = find(api, path_of("namespaces", name=row.namespace))
        if found is None:
            yield f"{row.namespace}: is not there."
        elif found["metadata"]["uid"] != row.uid or not _is_of(found, row.tenant_id):
            yield f"{row.namespace}: is not the one that this installation made; left alone."
        elif (other := _installation(found)) not in {"", former, mine}:
            yield f"{row.namespace}: belongs to {other}; left alone."
        else:
            count = _adopt_all(api, found, former=former, dry_run=dry_run)
            yield f"{row.namespace}: {count} object(s) {'would be' if dry_run else 'are'} adopted."


def _adopt_all(api: KubeApi, namespace: dict[str, Any], *, former: str, dry_run: bool) -> int:
    name, count = namespace["metadata"]["name"], 0
    query = {"labelSelector": f"{manifests.MANAGED_BY}=sumok8,{installation.others_selector()}"}
    found = [(kind, item) for kind in CONTENTS for item in api.items(path_of(kind, name), query=query)]
    places = [(item, path_of(kind, name, item["metadata"]["name"])) for kind, item in found]
    places.append((namespace, path_of("namespaces", name=name)))
    label = {"metadata": {"labels": {manifests.INSTALLATION: installation.own_id()}}}
    for item, path in places:
        if _installation(item) not in {"", former}:
            continue
        if not dry_run:
            try:
                api.request("PATCH", path, body=label, content_type=MERGE)
            except errors.NotFound:  # ended meanwhile
                continue
        count += 1
    return count


def _is_of(namespace: dict[str, Any], tenant_id: str) -> bool:
    own = namespace["metadata"].get("labels") or {}
    return own.get(manifests.MANAGED_BY) == "sumok8" and own.get(manifests.TENANT) == tenant_id


def _installation(item: dict[str, Any]) -> str:
    return str((item["metadata"].get("labels") or {}).get(manifests.INSTALLATION, ""))
