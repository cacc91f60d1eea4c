"""`manage.py uninstall_cluster`: what goes, and what stays unless told."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clusterops.gateway import KubeApi
from clusterops.install import installer, kustomize
from clusterops.install.installer import find, path_of


def run(cluster: Path, namespace: str, *arguments: str) -> str:
    out = io.StringIO()
    place = ["--kubeconfig", str(cluster), "--overlay", "local", "--namespace", namespace]
    call_command("uninstall_cluster", *place, *arguments, stdout=out)
    return out.getvalue()


def make(api: KubeApi, path: str, kind: str, name: str, **content: object) -> None:
    metadata = {"name": name, **content.pop("metadata", {})}
    api.request("POST", path, body={"apiVersion": "v1", "kind": kind, "metadata": metadata, **content})


def bind(api: KubeApi, place: str, home: str, labels: dict[str, str]) -> None:
    """As the reconciler in `home` does in a tenant's namespace."""
    path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{place}/rolebindings/sumok8-reconciler"
    subject = {"kind": "ServiceAccount", "name": "sumok8-reconciler", "namespace": home}
    body = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "sumok8-reconciler", "labels": labels},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "sumok8-tenant"},
        "subjects": [subject],
    }
    query = {"fieldManager": "test", "force": "true"}
    api.request("PATCH", path, query=query, body=body, content_type="application/apply-patch+yaml")


@pytest.fixture
def installed(api: KubeApi, request: pytest.FixtureRequest) -> tuple[str, list[kustomize.Manifest]]:
    """The local overlay in a namespace of the test's own, and one tenant's namespace."""
    namespace = request.node.name.replace("_", "-")[:40]
    objects = installer.load(installer.overlay_folder("local"), namespace=namespace)
    list(installer.install(api, objects, database_url=""))
    labels = {"app.kubernetes.io/managed-by": "sumok8", "sumok8.io/tenant": "city-a"}
    for place, home in (("city-a", namespace), ("city-of-others", "other-control-plane")):
        if not find(api, f"/api/v1/namespaces/{place}"):
            make(api, "/api/v1/namespaces", "Namespace", place, metadata={"labels": labels})
        bind(api, place, home, labels)
    return namespace, objects


def left(api: KubeApi, objects: list[kustomize.Manifest]) -> set[str]:
    return {one["kind"] for one in objects if (found := find(api, path_of(one))) and not is_going(found)}


def is_going(found: kustomize.Manifest) -> bool:
    return "deletionTimestamp" in found["metadata"]


def test_data_and_tenants_stay(cluster: Path, api: KubeApi, installed: tuple[str, list[kustomize.Manifest]]) -> None:
    namespace, objects = installed
    told = run(cluster, namespace, "--dry-run")
    assert "would be deleted" in told
    assert left(api, objects) == {one["kind"] for one in objects}

    told = run(cluster, namespace)
    assert left(api, objects) == {"Namespace", "PersistentVolumeClaim"}
    assert find(api, f"/api/v1/namespaces/{namespace}/secrets/sumok8-secrets")
    assert find(api, "/api/v1/namespaces/city-a")
    assert "Tenants' namespaces that stay: city-a." in told
    assert "--data deletes them" in told
    assert "is not there" in run(cluster, namespace)


def test_everything_when_told(cluster: Path, api: KubeApi, installed: tuple[str, list[kustomize.Manifest]]) -> None:
    namespace, objects = installed
    with pytest.raises(CommandError, match="add --yes"):
        run(cluster, namespace, "--data", "--tenants")
    claims = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
    database = {"labels": {"app.kubernetes.io/part-of": "sumok8"}}
    make(api, claims, "PersistentVolumeClaim", "data-sumok8-postgres-0", metadata=database)
    run(cluster, namespace, "--data", "--tenants", "--yes")
    assert left(api, objects) == set()
    assert api.items(claims) == []
    tenant = find(api, "/api/v1/namespaces/city-a")
    assert tenant is None or is_going(tenant)
    others = find(api, "/api/v1/namespaces/city-of-others")
    assert others
    assert not is_going(others)


def test_what_another_installation_needs_stays(api: KubeApi, cluster: Path) -> None:
    homes = ("first-home", "second-home")
    for home in homes:
        list(installer.install(api, installer.load(installer.overlay_folder("local"), namespace=home), database_url=""))
    bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/sumok8-reconciler-{}"
    assert [api.request("GET", bindings.format(home))["subjects"][0]["namespace"] for home in homes] == list(homes)
    assert "stays: sumok8-reconciler-second-home needs it" in run(cluster, "first-home")
    assert find(api, "/apis/rbac.authorization.k8s.io/v1/clusterroles/sumok8-tenant")
    assert find(api, bindings.format("first-home")) is None
    run(cluster, "second-home")
    assert find(api, "/apis/rbac.authorization.k8s.io/v1/clusterroles/sumok8-tenant") is None


def test_a_namespace_with_other_pods_stays(
    cluster: Path, api: KubeApi, installed: tuple[str, list[kustomize.Manifest]]
) -> None:
    namespace, objects = installed
    restricted = next(kustomize.containers(objects))["securityContext"]
    container = {"name": "a", "image": "a:1", "securityContext": restricted, "command": ["python", "-c", "pass"]}
    user = {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}}
    pod = {"securityContext": user, "restartPolicy": "Never", "containers": [container]}
    make(api, f"/api/v1/namespaces/{namespace}/pods", "Pod", "of-somebody-else", spec=pod)
    assert "stays: other pods live in it (of-somebody-else)" in run(cluster, namespace, "--data", "--yes")
    found = find(api, f"/api/v1/namespaces/{namespace}")
    assert found
    assert not is_going(found)
