"""The NodePool means what the original Provisioner said, in the fields that Karpenter 1.1 and later know."""

import re
from pathlib import Path

from clusterops.install import kustomize
from sumok8 import settings

POOL, NODE_CLASS = kustomize.build(Path(__file__).resolve().parents[2] / "deploy" / "karpenter")
DURATION = r"([0-9]+(s|m|h))+"  # the CRD's pattern
# `spec` and `spec.template.spec` of https://karpenter.sh/docs/concepts/nodepools/
POOL_FIELDS = {"template", "disruption", "limits", "weight", "replicas"}
MACHINE_FIELDS = {
    "nodeClassRef", "expireAfter", "terminationGracePeriod", "taints", "startupTaints", "requirements",
}  # fmt: skip


def test_meaning_of_the_original() -> None:
    spec = POOL["spec"]
    assert (POOL["apiVersion"], POOL["kind"]) == ("karpenter.sh/v1", "NodePool")
    assert spec["limits"] == {"cpu": "100", "memory": "200Gi"}
    assert spec["disruption"]["consolidationPolicy"] == "WhenEmpty"
    assert spec["disruption"]["consolidateAfter"] == "60s"
    assert spec["template"]["spec"]["expireAfter"] == f"{604800 // 3600}h"
    architecture = {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
    assert architecture in spec["template"]["spec"]["requirements"]


def test_only_fields_of_v1() -> None:
    assert POOL["spec"].keys() <= POOL_FIELDS
    assert POOL["spec"]["template"]["spec"].keys() <= MACHINE_FIELDS
    for budget in POOL["spec"]["disruption"]["budgets"]:
        assert re.fullmatch(r"(100|[0-9]{1,2})%|[0-9]+", budget["nodes"])
        assert set(budget["reasons"]) <= {"Empty", "Drifted", "Underutilized"}
    for field in ("expireAfter", "terminationGracePeriod"):
        assert re.fullmatch(DURATION, POOL["spec"]["template"]["spec"][field])


def test_machines_outlive_the_longest_job() -> None:
    hours = int(POOL["spec"]["template"]["spec"]["terminationGracePeriod"].removesuffix("h"))
    assert hours * 3600 > settings.JOB_MAX_TIME_LIMIT_S


def test_pool_and_class_belong_together() -> None:
    group, _ = NODE_CLASS["apiVersion"].split("/")
    reference = {"group": group, "kind": NODE_CLASS["kind"], "name": NODE_CLASS["metadata"]["name"]}
    assert POOL["spec"]["template"]["spec"]["nodeClassRef"] == reference
    assert NODE_CLASS["spec"]["role"]
    (alias,) = NODE_CLASS["spec"]["amiSelectorTerms"]
    assert re.fullmatch(r"al2023@v[0-9]{8}", alias["alias"])


def test_jobs_of_the_production_overlay_go_to_the_pool() -> None:
    objects = kustomize.build(Path(__file__).resolve().parents[2] / "deploy" / "overlays" / "production")
    config = next(one for one in objects if one["kind"] == "ConfigMap")["data"]
    name, _, value = config["RUNNER_NODE_SELECTOR"].partition("=")
    assert POOL["spec"]["template"]["metadata"]["labels"][name] == value
    assert config["RUNNER_TOLERATIONS"] in {taint["key"] for taint in POOL["spec"]["template"]["spec"]["taints"]}
