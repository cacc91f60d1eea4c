"""Whether pods reach the control plane, tried from a pod as a simulation's; nothing of it stays."""

import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clusterops import errors
from clusterops.contract import NamespaceSpec
from clusterops.gateway import Gateway, KubeApi, path_of
from clusterops.install import reach_check
from clusterops.objects import manifests
from localcluster.config import Image
from tests.local_clusters import running

ROOT = Path(__file__).resolve().parents[2]
SPACE = NamespaceSpec("reach-a", "reach-a", 1, 1, 1)


@pytest.fixture(scope="module")
def reaching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a cluster whose pods have the runner, with one tenant's namespace."""
    folder = tmp_path_factory.mktemp("reaching")
    image = Image(env={"PYTHONPATH": str(ROOT)})
    with running(folder, default_image=image) as cluster:
        Gateway(KubeApi(str(cluster.config.kubeconfig))).ensure_namespace(SPACE)
        yield cluster.config.kubeconfig


@pytest.fixture
def api(reaching: Path) -> KubeApi:
    return KubeApi(str(reaching))


@pytest.fixture
def web(settings: Any) -> Iterator[None]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    settings.RUNNER_URL = f"http://localhost:{server.server_address[1]}"
    yield
    server.shutdown()
    server.server_close()


def left(api: KubeApi) -> list[str]:
    return [job["metadata"]["name"] for job in api.items(path_of("jobs", "reach-a"))]


def test_a_pod_that_is_answered(api: KubeApi, web: None) -> None:
    assert reach_check.reach(api, "reach-a") == (
        True,
        "a pod in reach-a resolves localhost and is answered (HTTP 501)",
    )
    assert left(api) == []


@pytest.mark.parametrize(
    "url, says",
    [
        ("http://sumok8-web.nowhere.invalid:8000", "name not resolved: sumok8-web.nowhere.invalid"),
        ("http://127.0.0.1:9", "127.0.0.1 refuses the connection"),
    ],
)
def test_what_a_pod_cannot_reach_is_missing(reaching: Path, api: KubeApi, settings: Any, url: str, says: str) -> None:
    settings.RUNNER_URL = url
    out = io.StringIO()
    with pytest.raises(CommandError, match=r"1 thing\(s\) are missing"):
        call_command("check_cluster", "--kubeconfig", str(reaching), stdout=out)
    [line] = [line for line in out.getvalue().splitlines() if line.startswith("MISSING")]
    assert reach_check.SUBJECT in line
    assert f"from a pod in reach-a: {says}" in line
    assert left(api) == []


def test_a_pod_that_cannot_start_is_no_verdict(api: KubeApi, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RUNNER_IMAGE = "registry.invalid/runner:1"
    monkeypatch.setattr(reach_check, "PATIENCE_S", 1.0)
    works, text = reach_check.reach(api, "reach-a")
    assert (works, text) == (None, "a pod in reach-a did not start within 1 s")
    assert left(api) == []


def test_an_identity_without_the_right_is_no_verdict(api: KubeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*arguments: Any, **options: Any) -> dict[str, Any]:
        raise errors.Forbidden("403 jobs.batch is forbidden", status=403)

    monkeypatch.setattr(api, "request", refuses)
    assert reach_check.reach(api, "reach-a") == (None, "not tried in reach-a: 403 jobs.batch is forbidden")


def test_it_is_like_a_runs_pod_and_not_taken_for_one(settings: Any) -> None:
    made = reach_check.job("city-a", "sumok8-check-1")
    assert manifests.MANAGED_BY not in made["metadata"]["labels"] | made["spec"]["template"]["metadata"]["labels"]
    pod = made["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not [each for each in pod["containers"][0]["env"] if "TOKEN" in each["name"]]
    assert pod["activeDeadlineSeconds"] == made["spec"]["ttlSecondsAfterFinished"] == 120
