"""`python -m localcluster` runs the cluster with the runner image's stand-in: this project and real SUMO."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.localcluster.kube import Kube, condition, until


@pytest.mark.slow
def test_the_command_serves_until_sigterm_and_its_pods_have_sumo(tmp_path: Path) -> None:
    data, kubeconfig = tmp_path / "data", tmp_path / "kubeconfig"
    argv = [sys.executable, "-m", "localcluster", "--data", str(data), "--kubeconfig", str(kubeconfig)]
    argv += ["--cpu", "2", "--memory-gi", "4", "--stop-pods"]
    with subprocess.Popen(argv, cwd=settings.BASE_DIR) as process:
        until(lambda: kubeconfig.exists() or process.poll() is not None, 40)
        kube = Kube(f"http://127.0.0.1:{(data / 'port').read_text()}", (data / "token").read_text(), "default")
        (node,) = kube.ok("GET", "/api/v1/nodes")["items"]
        assert (node["status"]["capacity"]["cpu"], node["status"]["capacity"]["memory"]) == ("2", "4Gi")
        script = "import simulations.sumo, os; os.execv(os.environ['SUMO_BINARY'], ['sumo', '--version'])"
        name = kube.run("python", "-c", script, container={"resources": {"limits": {"memory": "512Mi"}}})
        assert condition(kube.finished(name), "Complete")
        assert "Eclipse SUMO" in kube.log(kube.pod(name)["metadata"]["name"])
        process.terminate()
        assert process.wait(timeout=10) == 0
