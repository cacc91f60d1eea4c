"""Install the control plane itself, as `kubectl apply -k` would: the manifests of deploy/ through server-side apply.

An operator's identity does this, from his machine; the service never does.
"""

import base64
import copy
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clusterops import errors
from clusterops.gateway import APPLY, KubeApi
from clusterops.install import kustomize
from clusterops.install.kustomize import Manifest, name_of
from clusterops.install.readiness import event_of, failure_of, is_ready, trouble_of

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
HOME = "sumok8"  # the namespace in deploy/base
PART_OF = "app.kubernetes.io/part-of"
CONTROLLER_IMAGE = "sumok8-controller"
SECRET = "sumok8-secrets"  # noqa: S105 - its name
POLL_S = 2.0
GONE_S = 120.0
RUNS_ONLY = {
    *("Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
}
DryRun = Literal["", "server"]


class InstallError(Exception):
    """A sentence for the operator: what is missing or did not become ready."""


@dataclass(frozen=True)
class Step:
    """One line of progress."""

    subject: str
    state: str


def overlay_folder(name: str) -> Path:
    """A folder of one's own, or by name one of deploy/overlays; empty: deploy/ itself. Raises InstallError."""
    for folder in (DEPLOY / "overlays" / name, Path(name)) if name else (DEPLOY,):
        if (folder / "kustomization.yaml").is_file():
            return folder
    known = ", ".join(sorted(path.name for path in (DEPLOY / "overlays").iterdir()))
    raise InstallError(f"No overlay {name}: neither one of {known}, nor a folder with a kustomization.yaml.")


def load(folder: Path, *, namespace: str = "", image: str = "", runner_image: str = "") -> list[Manifest]:
    """The overlay's objects, the Namespace first, with what the operator wants otherwise. Raises InstallError."""
    try:
        objects = kustomize.build(folder)
    except kustomize.KustomizeError as error:
        raise InstallError(str(error)) from error
    if namespace and namespace != namespace_of(objects):
        objects = kustomize.with_namespace(objects, namespace)
    if (home := namespace_of(objects)) != HOME:
        for manifest in objects:  # two installations that share a name would take each other's rights
            if manifest["kind"] == "ClusterRoleBinding":
                manifest["metadata"]["name"] += f"-{home}"
    if image:
        names = {kustomize.image_name(container["image"]) for container in kustomize.containers(objects)}
        for name in names:
            if name.rpartition("/")[2] == CONTROLLER_IMAGE:
                objects = kustomize.with_image(objects, name, image)
    if runner_image:
        change = {"op": "replace", "path": "/data/RUNNER_IMAGE", "value": runner_image}
        objects = kustomize.patched(objects, [change], kind="ConfigMap", name="sumok8-config")
    return sorted(objects, key=lambda manifest: manifest["kind"] != "Namespace")


def runs_only(objects: list[Manifest]) -> list[Manifest]:
    """What a cluster needs that runs jobs alone: the Namespace, and who may do what. No web, no reconciler, no keys."""
    return [each for each in objects if each["kind"] in RUNS_ONLY]


def apply_all(api: KubeApi, objects: list[Manifest], *, dry_run: DryRun = "") -> Iterator[Step]:
    """Each in turn, without a Secret. Raises GatewayError."""
    present = find(api, f"/api/v1/namespaces/{namespace_of(objects)}") is not None
    yield from _apply_all(api, objects, dry_run, present=present)


def _apply_all(api: KubeApi, objects: list[Manifest], dry_run: DryRun, *, present: bool) -> Iterator[Step]:
    for manifest in objects:
        if dry_run and not present and manifest["kind"] not in kustomize.CLUSTER_SCOPED:
            yield Step(name_of(manifest), "would be created; the server checks it once the namespace exists")
        else:
            yield from _apply(api, manifest, dry_run)


def namespace_of(objects: list[Manifest]) -> str:
    """Where the control plane goes."""
    return str(next(manifest["metadata"]["name"] for manifest in objects if manifest["kind"] == "Namespace"))


def path_of(manifest: Manifest) -> str:
    """The object's API path. Every kind that we use has a regular English plural."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"].lower(), manifest["metadata"]
    plural = kind[:-1] + "ies" if kind.endswith("y") else kind + ("es" if kind.endswith("s") else "s")
    place = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{'/apis' if '/' in version else '/api'}/{version}{place}/{plural}/{metadata['name']}"


def find(api: KubeApi, path: str) -> Manifest | None:
    """The object as the cluster has it, or None."""
    try:
        return api.request("GET", path)
    except errors.NotFound:
        return None


def new_secret(namespace: str, *, database_url: str = "") -> Manifest:
    """A Secret with random keys. Without `database_url`: for the overlay's own PostgreSQL, password included."""
    values = {"SECRET_KEY": secrets.token_urlsafe(48), "JOB_TOKEN_KEYS": secrets.token_urlsafe(48)}
    if not database_url:
        values["POSTGRES_PASSWORD"] = secrets.token_urlsafe(32)
        database_url = f"postgresql://sumok8:{values['POSTGRES_PASSWORD']}@sumok8-postgres:5432/sumok8"
    values["DATABASE_URL"] = database_url
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": SECRET, "namespace": namespace, "labels": {PART_OF: "sumok8"}},
        "type": "Opaque",
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in values.items()},
    }


def install(api: KubeApi, objects: list[Manifest], *, database_url: str, dry_run: DryRun = "") -> Iterator[Step]:
    """Apply every object in turn. An existing Secret is never touched. Raises InstallError, GatewayError."""
    namespace = namespace_of(objects)
    present = find(api, f"/api/v1/namespaces/{namespace}") is not None
    yield from _apply(api, objects[0], dry_run)
    secret = f"/api/v1/namespaces/{namespace}/secrets/{SECRET}"
    found = find(api, secret) if present else None
    if found:
        yield Step(f"Secret/{SECRET}", "is there: left as it is")
    else:
        trial = any(name_of(manifest) == "StatefulSet/sumok8-postgres" for manifest in objects)
        if trial == bool(database_url):
            raise InstallError(
                "This overlay brings its own PostgreSQL: leave --database-url-file out."
                if trial
                else "Tell where the database is: --database-url-file FILE, or - to read it from standard input."
            )
        made = new_secret(namespace, database_url=database_url)
        if not dry_run:
            found = api.request("POST", secret.rpartition("/")[0], body=made)
        yield Step(f"Secret/{SECRET}", f"{'would be ' if dry_run else ''}created, with random keys")
    marked = with_configuration_mark(with_api_server_ports(api, objects[1:]), found)
    yield from _apply_all(api, marked, dry_run, present=present)


def with_configuration_mark(objects: list[Manifest], secret: Manifest | None) -> list[Manifest]:
    """Mark the Deployments' pods with their configuration's fingerprint: a change of it then restarts them."""
    settings = [manifest["data"] for manifest in objects if manifest["kind"] == "ConfigMap"]
    version = secret["metadata"].get("resourceVersion", "") if secret else ""
    mark = hashlib.sha256(json.dumps([settings, version], sort_keys=True).encode()).hexdigest()[:16]
    objects = copy.deepcopy(objects)
    for manifest in objects:
        if manifest["kind"] == "Deployment":
            manifest["spec"]["template"]["metadata"].setdefault("annotations", {})["sumok8.io/configuration"] = mark
    return objects


def with_api_server_ports(api: KubeApi, objects: list[Manifest]) -> list[Manifest]:
    """Policies see the port behind the Service `kubernetes`, which differs from cluster to cluster: let it out too."""
    query = {"labelSelector": "kubernetes.io/service-name=kubernetes"}
    try:
        slices = api.items("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", query=query)
    except errors.Refused:
        return objects
    ports = {port["port"] for each in slices for port in each.get("ports") or () if port.get("port")}
    objects = copy.deepcopy(objects)
    for manifest in objects:
        if name_of(manifest) == "NetworkPolicy/sumok8-egress":
            known = {port["port"] for rule in manifest["spec"]["egress"] for port in rule.get("ports", ())}
            missing = [{"protocol": "TCP", "port": port} for port in sorted(ports - known)]
            manifest["spec"]["egress"] += [{"ports": missing}] if missing else []
    return objects


def _apply(api: KubeApi, manifest: Manifest, dry_run: DryRun) -> Iterator[Step]:
    path, query = path_of(manifest), {"fieldManager": "sumok8-install", "force": "true"}
    if dry_run:
        query["dryRun"] = "All"
    before = find(api, path)
    if before and manifest["kind"] == "Job":  # a Job's template cannot change
        if not dry_run:
            delete(api, path)
            _wait_gone(api, path, name_of(manifest))
            api.request("PATCH", path, query=query, body=manifest, content_type=APPLY)
        yield Step(name_of(manifest), "would be replaced" if dry_run else "replaced")
        return
    after = api.request("PATCH", path, query=query, body=manifest, content_type=APPLY)
    version = before and before["metadata"].get("resourceVersion")
    changed = (
        "created" if not before else "unchanged" if after["metadata"].get("resourceVersion") == version else "changed"
    )
    yield Step(name_of(manifest), f"would be {changed}" if dry_run else changed)


def _wait_gone(api: KubeApi, path: str, name: str) -> None:
    deadline = time.monotonic() + GONE_S
    while find(api, path):
        if time.monotonic() > deadline:
            raise InstallError(f"{name} of an earlier installation does not go away.")
        time.sleep(POLL_S)


def delete(api: KubeApi, path: str) -> bool:
    """Delete the object and what it owns, in the background; False if it was not there."""
    try:
        api.request("DELETE", path, body={"propagationPolicy": "Background"})
    except errors.NotFound:
        return False
    return True


def wait_ready(api: KubeApi, objects: list[Manifest], *, timeout_s: float) -> Iterator[Step]:
    """Wait for all workloads at once, telling of each what it waits for as soon as it is known, until it is mended.

    Raises InstallError when the time is over, or when one has failed for good.
    """
    deadline = time.monotonic() + timeout_s
    waiting = [manifest for manifest in objects if manifest["kind"] in {"Deployment", "StatefulSet", "Job"}]
    last: dict[str, str] = {}
    told: set[tuple[str, str]] = set()
    while waiting:
        for manifest in list(waiting):
            name = name_of(manifest)
            try:
                live = api.request("GET", path_of(manifest))
                ready, trouble = is_ready(live), "" if is_ready(live) else _trouble(api, live)
            except errors.ClusterUnreachable as error:
                live, ready, trouble = {"kind": "", "status": {}}, False, str(error)
            if failure := failure_of(live):
                raise InstallError(f"{name} failed: {failure}")
            last[name] = trouble
            if ready:
                waiting.remove(manifest)
                yield Step(name, "ready")
            elif (name, trouble) not in told:  # an image that is not there alternates between two reasons
                told.add((name, trouble))
                yield Step(name, trouble or "starting")
        if waiting and time.monotonic() > deadline:
            # What has no trouble of its own waits for what has.
            name = min(map(name_of, waiting), key=lambda name: not last[name])
            raise InstallError(f"{name} is not ready after {timeout_s:.0f} s. {last[name]}".rstrip())
        if waiting:
            time.sleep(POLL_S)


def _trouble(api: KubeApi, live: Manifest) -> str:
    """What keeps the workload from being ready, with the cluster's own event where one tells more."""
    pods = _pods(api, live)
    trouble = trouble_of(pods)
    if not trouble and pods and all(pod["status"].get("phase") == "Running" for pod in pods):
        return ""
    path = f"/api/v1/namespaces/{live['metadata']['namespace']}/events"
    event = event_of(api.items(path, query={"fieldSelector": "type=Warning"}), live, pods)
    return "; ".join(filter(None, (trouble, event if event not in trouble else "")))


def _pods(api: KubeApi, workload: Manifest) -> list[Manifest]:
    labels = workload["spec"]["template"]["metadata"]["labels"]
    selector = f"app.kubernetes.io/name={labels['app.kubernetes.io/name']}"
    return api.items(f"/api/v1/namespaces/{workload['metadata']['namespace']}/pods", query={"labelSelector": selector})
