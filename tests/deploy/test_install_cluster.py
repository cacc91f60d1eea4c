"""`manage.py install_cluster`, on a running API server."""

import base64
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from clusterops import errors
from clusterops.gateway import KubeApi
from clusterops.install import installer, kustomize

PAUSE = "import signal; signal.pause()"
COUNTS = ("replicas", "updatedReplicas", "availableReplicas")
SECRET = "/api/v1/namespaces/{}/secrets/sumok8-secrets"


def run(cluster: Path, *arguments: str) -> list[str]:
    out = io.StringIO()
    call_command("install_cluster", "--kubeconfig", str(cluster), *arguments, stdout=out)
    return out.getvalue().splitlines()


def secret_of(api: KubeApi, namespace: str) -> dict[str, str]:
    data = api.request("GET", SECRET.format(namespace))["data"]
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


@pytest.fixture
def small_overlay(tmp_path: Path) -> Path:
    """One's own overlay: the migration alone, and quick."""
    for name in ("namespace", "config", "migrate"):
        shutil.copy(installer.DEPLOY / "base" / f"{name}.yaml", tmp_path)
    command = {"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["python", "-c", "pass"]}
    settings = {
        "resources": ["config.yaml", "migrate.yaml", "namespace.yaml"],
        "images": [{"name": "sumok8-controller", "newTag": "0.1.0"}],
        "patches": [{"target": {"kind": "Job", "name": "sumok8-migrate"}, "patch": yaml.safe_dump([command])}],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(settings))
    (tmp_path / "database-url").write_text("postgresql://sumok8:swordfish@db.example.org:5432/sumok8\n")
    return tmp_path


def test_installs_waits_and_tells_each_object(cluster: Path, api: KubeApi, small_overlay: Path) -> None:
    lines = run(
        cluster, "--overlay", str(small_overlay), "--namespace", "small", "--image", "host:5000/sumok8-controller:7",
        "--runner-image", "host:5000/runner:7", "--database-url-file", str(small_overlay / "database-url"),
    )  # fmt: skip
    assert [line.split(maxsplit=1) for line in lines if "starting" not in line][:-1] == [
        ["Namespace/small", "created"],
        ["Secret/sumok8-secrets", "created, with random keys"],
        ["ConfigMap/sumok8-config", "created"],
        ["Job/sumok8-migrate", "created"],
        ["Job/sumok8-migrate", "ready"],
    ]
    job = api.request("GET", "/apis/batch/v1/namespaces/small/jobs/sumok8-migrate")
    assert job["spec"]["template"]["spec"]["containers"][0]["image"] == "host:5000/sumok8-controller:7"
    config = api.request("GET", "/api/v1/namespaces/small/configmaps/sumok8-config")
    assert config["data"]["RUNNER_IMAGE"] == "host:5000/runner:7"
    secret = secret_of(api, "small")
    assert secret["DATABASE_URL"] == "postgresql://sumok8:swordfish@db.example.org:5432/sumok8"
    assert len(secret["SECRET_KEY"]) >= 50
    assert "swordfish" not in "\n".join(lines)

    again = run(cluster, "--overlay", str(small_overlay), "--namespace", "small")
    assert "is there: left as it is" in "\n".join(again)
    assert ["Job/sumok8-migrate", "replaced"] in [line.split(maxsplit=1) for line in again]
    assert secret_of(api, "small") == secret


def test_local_overlay_brings_its_database(api: KubeApi) -> None:
    objects = installer.load(installer.overlay_folder("local"), namespace="trial")
    steps = list(installer.install(api, objects, database_url=""))
    assert {step.state for step in steps} == {"created", "created, with random keys"}
    secret = secret_of(api, "trial")
    assert f":{secret['POSTGRES_PASSWORD']}@sumok8-postgres:5432/" in secret["DATABASE_URL"]
    binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/sumok8-reconciler-trial"
    assert api.request("GET", binding)["subjects"][0]["namespace"] == "trial"

    again = [step for step in installer.install(api, objects, database_url="") if "Secret" not in step.subject]
    assert {step.state for step in again} == {"unchanged", "replaced"}


def test_a_cluster_that_only_runs_jobs_gets_identities_and_roles(cluster: Path, api: KubeApi) -> None:
    lines = run(cluster, "--overlay", "local", "--namespace", "runs", "--runs-only")
    assert {line.partition("/")[0] for line in lines[:-1]} <= installer.RUNS_ONLY
    assert "sumok8-reconciler in runs" in lines[-1]
    assert api.request("GET", "/api/v1/namespaces/runs/serviceaccounts/sumok8-reconciler")
    assert installer.find(api, "/apis/apps/v1/namespaces/runs/deployments/sumok8-web") is None
    assert installer.find(api, SECRET.format("runs")) is None


def test_changed_configuration_restarts_the_pods(api: KubeApi) -> None:
    def mark() -> str:
        web = api.request("GET", "/apis/apps/v1/namespaces/marks/deployments/sumok8-web")
        return str(web["spec"]["template"]["metadata"]["annotations"]["sumok8.io/configuration"])

    def install(**options: str) -> str:
        list(installer.install(api, installer.load(folder, namespace="marks", **options), database_url=""))
        return mark()

    folder = installer.overlay_folder("local")
    first = install()
    assert install() == first
    other = install(runner_image="other:1")
    assert other != first
    body = {"data": {"SECRET_KEY": base64.b64encode(b"rotated").decode()}}
    api.request("PATCH", SECRET.format("marks"), body=body, content_type="application/merge-patch+json")
    assert install(runner_image="other:1") != other


def test_the_api_servers_own_port_is_let_out(api: KubeApi) -> None:
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    labels = {"kubernetes.io/service-name": "kubernetes"}
    body = {"metadata": {"name": "kubernetes", "labels": labels}, "ports": [{"name": "https", "port": 16443}]}
    objects = installer.load(installer.overlay_folder("local"), namespace="ports")
    for port, added in ((6443, []), (16443, [16443])):
        body["ports"][0]["port"] = port
        api.request("POST", slices, body=body)
        list(installer.install(api, objects, database_url=""))
        path = "/apis/networking.k8s.io/v1/namespaces/ports/networkpolicies/sumok8-egress"
        rules = api.request("GET", path)["spec"]["egress"]
        assert [each["port"] for each in rules[-1]["ports"] if each["port"] != 8443][-1:] == (added or [6443])
        api.request("DELETE", f"{slices}/kubernetes")


def test_production_overlay_checked_by_the_server(cluster: Path, api: KubeApi, tmp_path: Path) -> None:
    url = tmp_path / "url"
    url.write_text("postgresql://db/sumok8")
    arguments = [
        "--overlay",
        "production",
        "--namespace",
        "dry",
        "--dry-run",
        "server",
        "--database-url-file",
        str(url),
    ]
    lines = run(cluster, *arguments)
    assert lines[-1] == "Nothing was changed."
    assert any("Deployment/sumok8-web" in line and "would be created" in line for line in lines)
    with pytest.raises(errors.NotFound):
        api.request("GET", "/api/v1/namespaces/dry")


def test_print_needs_no_cluster() -> None:
    out = io.StringIO()
    call_command(
        "install_cluster", "--overlay", "production", "--namespace", "elsewhere", "--dry-run", "print", stdout=out
    )
    printed = list(yaml.safe_load_all(out.getvalue()))
    assert printed == installer.load(installer.overlay_folder("production"), namespace="elsewhere")
    assert printed[0]["metadata"]["name"] == "elsewhere"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--overlay", "nowhere"], "No overlay nowhere: neither one of local, production"),
        (["--overlay", "production", "--namespace", "first"], "Tell where the database is: --database-url-file"),
        (["--overlay", "production", "--namespace", "first", "--database-url-file", "/absent"], "No such file"),
        (["--overlay", "local", "--namespace", "second", "--database-url-file", __file__], "its own PostgreSQL"),
    ],
)
def test_refusals(cluster: Path, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run(cluster, *arguments)


def test_unreachable_cluster_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Cannot read how to reach the cluster"):
        run(tmp_path / "absent", "--overlay", "local")


def test_says_what_a_workload_waits_for(api: KubeApi) -> None:
    bad = "registry.invalid/sumok8-controller:1"
    objects = installer.load(installer.overlay_folder("local"), namespace="waits", image=bad)
    list(installer.install(api, objects, database_url=""))
    jobs = [one for one in objects if one["kind"] == "Job"]
    with pytest.raises(installer.InstallError, match=r"not ready after 1 s.*migrate: (ErrImagePull|ImagePullBackOff)"):
        list(installer.wait_ready(api, jobs, timeout_s=1))


def test_the_real_trouble_is_told_first_and_its_mending_is_noticed(api: KubeApi) -> None:
    """The migration waits for the database, whose image is missing: that is what the operator must hear."""
    objects = installer.load(installer.overlay_folder("local"), namespace="mended")
    quiet = {"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["python", "-c", PAUSE]}
    objects = kustomize.patched(objects, [quiet], kind="Job", name="sumok8-migrate")
    list(installer.install(api, objects, database_url=""))
    pod = {
        "metadata": {"name": "sumok8-postgres-0", "labels": {"app.kubernetes.io/name": "sumok8-postgres"}},
        "spec": next(one for one in objects if one["kind"] == "StatefulSet")["spec"]["template"]["spec"],
    }
    pod["spec"]["containers"][0]["image"] = "registry.invalid/postgres:17"
    pod["spec"]["volumes"].append({"name": "data", "emptyDir": {}})
    api.request("POST", "/api/v1/namespaces/mended/pods", body=pod)
    workloads = [one for one in objects if one["kind"] in {"Job", "StatefulSet"}]
    steps = installer.wait_ready(api, workloads, timeout_s=60)
    told = next(step for step in steps if "StatefulSet" in step.subject and step.state != "starting")
    assert "postgres: " in told.state
    assert "registry.invalid/postgres:17" in told.state
    path = "/apis/apps/v1/namespaces/mended/statefulsets/sumok8-postgres"
    status = {"observedGeneration": 1} | dict.fromkeys(COUNTS, 1)
    api.request("PUT", f"{path}/status", body=api.request("GET", path) | {"status": status})
    assert installer.Step("StatefulSet/sumok8-postgres", "ready") in steps


def test_a_failed_migration_is_told(api: KubeApi) -> None:
    objects = installer.load(installer.overlay_folder("local"), namespace="fails")
    changes = [
        {"op": "replace", "path": "/spec/backoffLimit", "value": 0},
        {"op": "replace", "path": "/spec/template/spec/restartPolicy", "value": "Never"},
        {"op": "replace", "path": "/spec/template/spec/containers/0/command", "value": ["python", "-c", "exit(1)"]},
    ]
    objects = kustomize.patched(objects, changes, kind="Job", name="sumok8-migrate")
    list(installer.install(api, objects, database_url=""))
    jobs = [one for one in objects if one["kind"] == "Job"]
    with pytest.raises(installer.InstallError, match=r"Job/sumok8-migrate failed: .*backoff limit"):
        list(installer.wait_ready(api, jobs, timeout_s=30))


def test_needs_no_settings_of_the_service() -> None:
    command = [sys.executable, "manage.py", "install_cluster", "--overlay", "local", "--dry-run", "print"]
    root = installer.DEPLOY.parent
    done = subprocess.run(command, cwd=root, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    assert b"kind: Namespace" in done.stdout
