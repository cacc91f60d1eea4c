"""`manage.py check_cluster`: a line for each need, an error when something needed is missing."""

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clusterops import errors
from clusterops.gateway import Gateway, KubeApi
from clusterops.gateway.permissions import BIND, BY_METHOD, needed_by
from clusterops.install.cluster_check import Finding, Verdict, check

TENANT = {"app.kubernetes.io/managed-by": "sumok8", "sumok8.io/installation": "tests"}
RESTRICTED = TENANT | {"pod-security.kubernetes.io/enforce": "restricted"}


class ScriptedApi(KubeApi):
    """An API server with an identity that lacks `denied`; answers as a real one words them."""

    def __init__(
        self,
        *,
        denied: set[tuple[str, str]] = frozenset(),
        labels: dict[str, str] | None = RESTRICTED,
        minor: str = "34",
        pod_answer: errors.GatewayError | None = None,
        kueue: tuple[str, ...] = (),
        cluster_queue: errors.GatewayError | None = None,
    ) -> None:
        self.kueue, self.cluster_queue = kueue, cluster_queue
        self.denied, self.labels, self.minor, self.pod_answer = denied, labels, minor, pod_answer
        self.asked: list[dict[str, Any]] = []

    def request(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        if path == "/version":
            return {"major": "1", "minor": self.minor, "gitVersion": f"v1.{self.minor}.2"}
        if path == "/api/v1/namespaces":
            found = [{"metadata": {"name": "city-a", "labels": self.labels}, "status": {"phase": "Active"}}]
            return {"items": found if self.labels else []}
        if path.endswith("selfsubjectaccessreviews"):
            asked = options["body"]["spec"]["resourceAttributes"]
            self.asked.append(asked)
            return {"status": {"allowed": (asked["verb"], asked["resource"]) not in self.denied}}
        if path.endswith("/pods") and self.pod_answer:
            raise self.pod_answer
        if path == "/apis/karpenter.sh":
            raise errors.NotFound("404", status=404)
        if path == KUEUE:
            if not self.kueue:
                raise errors.NotFound("404", status=404)
            return {"resources": [{"name": name} for name in self.kueue]}
        if path == f"{KUEUE}/clusterqueues/ours" and self.cluster_queue:
            raise self.cluster_queue
        return {}


VIOLATES = errors.Forbidden('403 pods "probe" is forbidden: violates PodSecurity "restricted:latest"', status=403)
NO_RIGHT = errors.Forbidden('403 pods is forbidden: User "x" cannot create resource "pods"', status=403)


KUEUE = "/apis/kueue.x-k8s.io/v1beta1"
INSTALLED = ("clusterqueues", "localqueues", "localqueues/status")


def findings(api: KubeApi, identity: str = "reconciler") -> dict[str, Finding]:
    return {finding.subject: finding for finding in check(api, identity)}


def test_a_fit_cluster() -> None:
    api = ScriptedApi(pod_answer=VIOLATES)
    found = findings(api)
    assert Verdict.MISSING not in {finding.verdict for finding in found.values()}
    assert found["version"].text == "v1.34.2"
    assert found["pod security"].text == "restricted, seen in city-a"
    assert found["Karpenter"] == Finding(Verdict.NOTE, "Karpenter", "not there")
    assert found["metrics"].verdict is Verdict.OK
    assert found["create jobs.batch"].text == "in city-a, for start_run"
    assert found["list jobs.batch"].text.startswith("everywhere, for ")


def test_every_right_is_asked_for_where_it_is_given() -> None:
    api = ScriptedApi(pod_answer=VIOLATES)
    findings(api)
    asked = {
        (one["group"], "/".join(filter(None, [one["resource"], one["subresource"]])), one["verb"]) for one in api.asked
    }
    assert asked == needed_by("reconciler") | {BIND}
    assert {one["namespace"] for one in api.asked if one["resource"] == "namespaces"} == {""}
    assert {one["namespace"] for one in api.asked if one["verb"] == "delete"} == {"city-a"}
    assert {one["name"] for one in api.asked if one["verb"] == "bind"} == {"sumok8-tenant"}


def test_rights_are_of_methods_that_there_are() -> None:
    assert {name for name in BY_METHOD if not hasattr(Gateway, name)} == set()


def test_the_webs_rights_are_everywhere() -> None:
    api = ScriptedApi()
    findings(api, "web")
    assert len(api.asked) == len(needed_by("web"))
    assert {one["namespace"] for one in api.asked} == {""}


@pytest.mark.parametrize(
    ("api", "subject", "says"),
    [
        (ScriptedApi(denied={("create", "jobs")}, pod_answer=VIOLATES), "create jobs.batch", "in city-a"),
        (ScriptedApi(minor="27+", pod_answer=VIOLATES), "version", "1.28 or later is needed"),
        (ScriptedApi(labels=TENANT), "pod security", "not enforced in city-a"),
        (ScriptedApi(pod_answer=None), "pod security", "a privileged pod is accepted"),
    ],
)
def test_what_is_missing(api: KubeApi, subject: str, says: str) -> None:
    finding = findings(api)[subject]
    assert finding.verdict is Verdict.MISSING
    assert says in finding.text


def test_without_a_right_to_make_pods_the_labels_count() -> None:
    finding = findings(ScriptedApi(pod_answer=NO_RIGHT))["pod security"]
    assert finding.verdict is Verdict.OK
    assert "labels are set" in finding.text


def test_before_the_first_tenant() -> None:
    found = findings(ScriptedApi(labels=None))
    assert found["create jobs.batch"].verdict is Verdict.NOTE
    assert found["pod security"].verdict is Verdict.NOTE


@pytest.mark.parametrize(
    ("kinds", "answer", "verdict", "says"),
    [
        (INSTALLED, None, Verdict.OK, "the ClusterQueue ours is there"),
        (INSTALLED, NO_RIGHT, Verdict.NOTE, "an administrator's identity can see"),
        (INSTALLED, errors.NotFound("404", status=404), Verdict.MISSING, "no ClusterQueue ours"),
        (("workloads",), None, Verdict.MISSING, "no clusterqueues and localqueues"),
        ((), None, Verdict.MISSING, "install Kueue"),
    ],
)
def test_kueue_is_looked_for_where_it_is_used(settings: Any, kinds, answer, verdict, says) -> None:
    api = ScriptedApi(pod_answer=VIOLATES, kueue=kinds, cluster_queue=answer)
    assert "Kueue" not in findings(api)
    settings.QUEUEING, settings.KUEUE_CLUSTER_QUEUE = "kueue", "ours"
    finding = findings(api)["Kueue"]
    assert finding.verdict is verdict
    assert says in finding.text


def test_command_on_a_running_cluster(cluster: Path) -> None:
    out = io.StringIO()
    with contextlib.suppress(CommandError):  # its lines say why
        call_command("check_cluster", "--kubeconfig", str(cluster), "--identity", "web", stdout=out)
    assert out.getvalue().splitlines()[-1] == "Nothing is missing.", out.getvalue()


def test_command_without_a_cluster(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Cannot read how to reach the cluster"):
        call_command("check_cluster", "--kubeconfig", str(tmp_path / "absent"))


def test_command_with_a_dead_cluster(cluster: Path, tmp_path: Path) -> None:
    text = cluster.read_text()
    port = text.split("http://127.0.0.1:")[1].split('"')[0].split("\n")[0]
    dead = tmp_path / "kubeconfig"
    dead.write_text(text.replace(f"127.0.0.1:{port}", "127.0.0.1:1"))
    out = io.StringIO()
    with pytest.raises(CommandError, match="missing"):
        call_command("check_cluster", "--kubeconfig", str(dead), stdout=out)
    assert "\nMISSING  cluster" in out.getvalue()
