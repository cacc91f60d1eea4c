"""Scraping, alerts and dashboard: they name what is there."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import timezone
from prometheus_client.core import REGISTRY

from clusterops.install import kustomize
from clusterops.models import ReconcilerState
from clusterops.policy.causes import CAUSES
from clusterops.reconciler import exporter, measures
from sumok8 import metrics

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "components" / "prometheus"
OBJECTS = {
    kustomize.name_of(each): each
    for file in FOLDER.glob("*.yaml")
    for each in kustomize.load(file)
    if "metadata" in each
}
RULES: list[dict[str, Any]] = OBJECTS["PrometheusRule/sumok8"]["spec"]["groups"]
BOARD: dict[str, Any] = json.loads(OBJECTS["ConfigMap/sumok8-dashboard"]["data"]["sumok8.json"])
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
PROMTOOL = shutil.which("promtool")


@pytest.fixture
def exported(db: None) -> set[str]:
    """Every sample's name that a web pod or the reconciler tells."""
    assert metrics.REQUESTS
    assert measures.PASSES
    ReconcilerState.objects.create(
        pk=1,
        pass_finished_at=timezone.now(),
        cluster_reachable=True,
        snapshot={"nodes": []},
        volume_free=1,
        volume_size=2,
    )
    families = [*REGISTRY.collect(), *exporter.gauges()]
    return {f"{each.name}{suffix}" for each in families for suffix in SUFFIXES.get(each.type, ())}


def test_every_rule_and_panel_names_an_exported_metric(exported: set[str]) -> None:
    said = [rule["expr"] for group in RULES for rule in group["rules"]]
    said += [target["expr"] for panel in BOARD["panels"] for target in panel["targets"]]
    assert len(said) > 20
    for expression in said:
        names = set(re.findall(r"\bsumok8_\w+", expression))
        assert names, expression
        assert names <= exported, names - exported


def test_causes_in_rules_are_of_the_table() -> None:
    named = {
        code for group in RULES for rule in group["rules"] for code in re.findall(r'cause!~"([^"]+)"', rule["expr"])
    }
    assert {code for text in named for code in text.split("|")} <= CAUSES.keys()


def test_monitors_meet_the_pods_ports() -> None:
    base = kustomize.build(FOLDER.parents[1] / "base")
    deployments = {each["metadata"]["name"]: each for each in base if each["kind"] == "Deployment"}
    for name in ("sumok8-web", "sumok8-reconciler"):
        spec = OBJECTS[f"PodMonitor/{name}"]["spec"]
        met = {
            each
            for each, one in deployments.items()
            if spec["selector"]["matchLabels"].items() <= one["spec"]["template"]["metadata"]["labels"].items()
        }
        assert met == {name}
        containers = kustomize.containers([deployments[name]])
        assert spec["podMetricsEndpoints"][0]["port"] in {
            port["name"] for one in containers for port in one.get("ports", ())
        }


@pytest.mark.skipif(not PROMTOOL, reason="needs promtool: apt-get install prometheus")
def test_alerts_fire_when_they_shall(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": RULES}))
    image = 'sumok8_attention{cause="image_error", who="operator"}'
    cases = [
        ("SumoK8ReconcilerSilent", [], "10m", True),
        ("SumoK8ReconcilerSilent", [("sumok8_reconciler_last_pass_age_seconds", "5x30")], "10m", False),
        ("SumoK8ReconcilerSilent", [("sumok8_reconciler_last_pass_age_seconds", "5+60x30")], "10m", True),
        ("SumoK8ClusterUnreachable", [("sumok8_cluster_reachable", "0x30")], "10m", True),
        ("SumoK8ClusterUnreachable", [("sumok8_cluster_reachable", "1x30")], "10m", False),
        ("SumoK8Attention", [(image, "2x30")], "10m", False),
        ("SumoK8Attention", [(image, "2x30")], "20m", True),
        ("SumoK8HttpErrors", [('sumok8_http_requests_total{status="500"}', "0+10x30")], "20m", True),
        ("SumoK8AttemptsLost", [("sumok8_attempts_lost_total", "0+1x90")], "70m", True),
    ]
    tests = []
    for alert, series, at, fires in cases:
        rule = next(rule for group in RULES for rule in group["rules"] if rule["alert"] == alert)
        labels = dict(rule["labels"]) | ({"cause": "image_error"} if alert == "SumoK8Attention" else {})
        summary = (
            rule["annotations"]["summary"].replace("{{ $labels.cause }}", "image_error").replace("{{ $value }}", "2")
        )
        expected = [{"exp_labels": labels, "exp_annotations": {"summary": summary}}] if fires else []
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series],
                "alert_rule_test": [{"alertname": alert, "eval_time": at, "exp_alerts": expected}],
            }
        )
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "tests": tests}))
    done = subprocess.run(
        [str(PROMTOOL), "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
