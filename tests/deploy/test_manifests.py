"""Every overlay is restricted and complete, and fits together; `make check` holds them against the API schemas."""

import copy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from clusterops.install import kustomize
from deploy.validate import OVERLAYS, problems
from sumok8 import proxy

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
BUILT = {overlay: kustomize.build(DEPLOY / overlay) for overlay in OVERLAYS}
WORKLOADS = [
    pytest.param(manifest, id=f"{overlay}-{kustomize.name_of(manifest)}")
    for overlay, objects in BUILT.items()
    for manifest in objects
    if manifest["kind"] in {"Deployment", "StatefulSet", "Job"}
]


def pod_of(workload: kustomize.Manifest) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]


def all_containers(workload: kustomize.Manifest) -> list[dict[str, Any]]:
    return list(kustomize.containers([workload]))


def test_a_wrong_manifest_is_found() -> None:
    wrong = copy.deepcopy(next(one for one in BUILT["base"] if one["kind"] == "Deployment"))
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePullPolice"] = "Always"
    assert "imagePullPolice" in problems([wrong])[0]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_restricted_pod_security(workload: kustomize.Manifest) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a read-only root."""
    pod = pod_of(workload)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    assert kinds <= {"secret", "emptyDir", "persistentVolumeClaim", "configMap", "projected"}
    for container in all_containers(workload):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "hostPort" not in str(container.get("ports"))


@pytest.mark.parametrize("workload", WORKLOADS)
def test_resources_images_and_tokens(workload: kustomize.Manifest) -> None:
    for container in all_containers(workload):
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        _, _, tag = container["image"].rpartition(":")
        assert "/" not in tag
        assert tag not in {"", "latest"}
    has_account = "serviceAccountName" in pod_of(workload)
    assert pod_of(workload)["automountServiceAccountToken"] is has_account


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_mount_has_its_volume(workload: kustomize.Manifest) -> None:
    volumes = {volume["name"] for volume in pod_of(workload)["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
    for container in all_containers(workload):
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_names_fit_together(overlay: str) -> None:
    """Accounts, claims, ConfigMaps, Services and ports that one object names, another is."""
    objects = BUILT[overlay]
    names = {kustomize.name_of(manifest) for manifest in objects}
    for manifest in objects:
        if manifest["kind"] in {"Deployment", "StatefulSet", "Job"}:
            pod = pod_of(manifest)
            if account := pod.get("serviceAccountName"):
                assert f"ServiceAccount/{account}" in names
            for volume in pod["volumes"]:
                if claim := volume.get("persistentVolumeClaim"):
                    assert f"PersistentVolumeClaim/{claim['claimName']}" in names
                if secret := volume.get("secret"):
                    assert secret["secretName"] == "sumok8-secrets"
            for container in all_containers(manifest):
                for source in container.get("envFrom", []):
                    assert f"ConfigMap/{source['configMapRef']['name']}" in names
        if manifest["kind"] == "Ingress":
            for path in manifest["spec"]["rules"][0]["http"]["paths"]:
                assert f"Service/{path['backend']['service']['name']}" in names
        if manifest["kind"] in {"Deployment", "StatefulSet"}:
            labels = manifest["spec"]["template"]["metadata"]["labels"]
            assert manifest["spec"]["selector"]["matchLabels"].items() <= labels.items()
        if selector := manifest["kind"] == "Service" and manifest["spec"].get("selector"):
            labels = [pod_labels(one) for one in objects if "template" in one.get("spec", {})]
            assert any(selector.items() <= one.items() for one in labels)


def pod_labels(workload: kustomize.Manifest) -> dict[str, str]:
    return workload["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_of_ours_looks_like_a_tenants(overlay: str) -> None:
    """The reconciler takes what carries its label for a tenant's."""
    for manifest in BUILT[overlay]:
        assert "app.kubernetes.io/managed-by" not in manifest["metadata"].get("labels", {})
        assert manifest["metadata"]["labels"]["app.kubernetes.io/part-of"] == "sumok8"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_among_the_manifests(overlay: str) -> None:
    assert not [manifest for manifest in BUILT[overlay] if manifest["kind"] == "Secret"]


def test_without_a_bucket_the_files_are_on_a_volume() -> None:
    for overlay in (".", "overlays/local"):
        config = next(one for one in BUILT[overlay] if one["kind"] == "ConfigMap")["data"]
        for name in ("sumok8-web", "sumok8-reconciler"):
            workload = next(one for one in BUILT[overlay] if kustomize.name_of(one) == f"Deployment/{name}")
            mounts = {mount["mountPath"] for mount in all_containers(workload)[-1]["volumeMounts"]}
            assert config["DATA_DIR"] in mounts


def test_runners_reach_what_the_tenants_network_policy_names() -> None:
    """clusterops/objects/manifests.py names the web pods by these labels and this port."""
    web = next(one for one in BUILT["base"] if kustomize.name_of(one) == "Deployment/sumok8-web")
    assert pod_labels(web)["app.kubernetes.io/name"] == "sumok8-web"
    assert {"name": "http", "containerPort": 8000} in pod_of(web)["containers"][0]["ports"]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_what_a_pod_writes_has_a_limit(workload: kustomize.Manifest) -> None:
    for volume in pod_of(workload)["volumes"]:
        assert "sizeLimit" in volume.get("emptyDir", {"sizeLimit": "of another kind"})
    for container in all_containers(workload):
        assert "ephemeral-storage" in container["resources"]["limits"]


def test_probes_and_scrapers_have_a_port_of_their_own() -> None:
    """What waits at the main port is not before them."""
    web = next(one for one in BUILT["base"] if kustomize.name_of(one) == "Deployment/sumok8-web")
    container = pod_of(web)["containers"][0]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "probes"
    assert {"name": "probes", "containerPort": 8001} in container["ports"]
    assert {"name": "PROBE_BIND", "value": "0.0.0.0:8001"} in container["env"]
    assert web["spec"]["template"]["metadata"]["annotations"]["prometheus.io/port"] == "8001"


def test_the_webs_volume_has_room_for_all_that_it_lets_through() -> None:
    web = next(one for one in BUILT["base"] if kustomize.name_of(one) == "Deployment/sumok8-web")
    (tmp,) = (volume["emptyDir"]["sizeLimit"] for volume in pod_of(web)["volumes"] if volume["name"] == "tmp")
    bodies = 2 * proxy.CONNECTIONS * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    # A copy of nginx's, one of the application's, the one it is laid over, and the result.
    scenarios = 4 * proxy.UPLOADS * settings.SCENARIO_MAX_BYTES
    assert bodies + scenarios <= int(tmp.removesuffix("Gi")) * 1024**3


def test_only_uploads_of_scenarios_pass_an_ingress_unbuffered() -> None:
    ingresses = [one for one in BUILT["overlays/production"] if one["kind"] == "Ingress"]
    unbuffered = [one for one in ingresses if "proxy-request-buffering" in str(one["metadata"]["annotations"])]
    paths = [path["path"] for one in unbuffered for path in one["spec"]["rules"][0]["http"]["paths"]]
    assert paths == ["/scenarios"]
    assert len({one["spec"]["rules"][0]["host"] for one in ingresses}) == 1
