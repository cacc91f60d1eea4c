"""The component that brings the reconciler of one more cluster."""

import shutil
from pathlib import Path

import pytest
import yaml

from clusterops.install import kustomize
from deploy.validate import problems
from tests.deploy.test_manifests import DEPLOY, pod_labels, pod_of

OVERLAY = """
resources: [../base]
components: [../components/cluster-frankfurt, ../components/{files}, ../components/postgres]
"""


@pytest.fixture(scope="module", params=["s3", "shared-volume"])
def objects(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, kustomize.Manifest]:
    """Made as docs/clusters.md says, for a cluster `frankfurt`."""
    deploy: Path = tmp_path_factory.mktemp("deploy")
    for part in ("base", "components"):
        shutil.copytree(DEPLOY / part, deploy / part)
    copied = shutil.copytree(DEPLOY / "components" / "cluster-reconciler", deploy / "components" / "cluster-frankfurt")
    for path in copied.iterdir():
        path.write_text(path.read_text().replace("example", "frankfurt"))
    ours = deploy / "ours"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text(OVERLAY.format(files=request.param))
    built = kustomize.build(ours)
    named = {kustomize.name_of(each): each for each in built}
    assert len(named) == len(built)
    return named


@pytest.mark.parametrize("objects", ["s3"], indirect=True)  # the schemas take their time
def test_it_fits_kubernetes(objects: dict[str, kustomize.Manifest]) -> None:
    assert problems([each for name, each in objects.items() if "frankfurt" in name]) == []


def test_it_is_the_first_reconciler_but_for_its_cluster(objects: dict[str, kustomize.Manifest]) -> None:
    first, second = objects["Deployment/sumok8-reconciler"], objects["Deployment/sumok8-reconciler-frankfurt"]
    text = yaml.safe_dump(second).replace("sumok8-reconciler-frankfurt", "sumok8-reconciler")
    expected = yaml.safe_load(text)
    pod = pod_of(expected)
    container = pod["containers"][0]
    at = container["command"].index("--cluster")
    assert container["command"][at : at + 2] == ["--cluster", "frankfurt"]
    del container["command"][at : at + 2]
    name, path = "cluster-frankfurt", "/etc/sumok8/clusters/frankfurt"
    container["volumeMounts"].remove({"name": name, "mountPath": path, "readOnly": True})
    pod["volumes"].remove(
        {"name": name, "secret": {"secretName": "sumok8-cluster-frankfurt-reconciler", "defaultMode": 0o440}}
    )
    assert pod.pop("automountServiceAccountToken") is False  # nothing of it is asked of the cluster it lives in
    pod |= {"serviceAccountName": "sumok8-reconciler", "automountServiceAccountToken": True}
    assert expected == first


def test_the_web_reads_that_cluster_with_rights_of_its_own(objects: dict[str, kustomize.Manifest]) -> None:
    web = pod_of(objects["Deployment/sumok8-web"])
    [mount] = [each for each in web["containers"][0]["volumeMounts"] if each["name"] == "cluster-frankfurt"]
    assert mount["mountPath"] == "/etc/sumok8/clusters/frankfurt"
    assert "sumok8-cluster-frankfurt-web" in {each.get("secret", {}).get("secretName") for each in web["volumes"]}


def test_policies_let_it_out_and_its_metrics_be_read(objects: dict[str, kustomize.Manifest]) -> None:
    labels = pod_labels(objects["Deployment/sumok8-reconciler-frankfurt"])
    [rule] = objects["NetworkPolicy/sumok8-egress"]["spec"]["podSelector"]["matchExpressions"]
    assert labels[rule["key"]] in rule["values"]
    metrics = objects["NetworkPolicy/sumok8-reconciler-frankfurt"]["spec"]["podSelector"]["matchLabels"]
    assert metrics.items() <= labels.items()
    [ingress] = objects["NetworkPolicy/sumok8-postgres"]["spec"]["ingress"]
    assert ingress["from"][0]["podSelector"]["matchLabels"].items() <= labels.items()
