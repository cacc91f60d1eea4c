"""A killed cluster comes back with everything: objects, versions, running pods, and none of them twice."""

import os
import signal
import stat
from pathlib import Path

import pytest

from localcluster.cluster import LocalCluster, start_process
from localcluster.config import Image, LocalClusterConfig
from tests.localcluster.kube import Kube, condition, until


@pytest.fixture
def config(tmp_path: Path) -> LocalClusterConfig:
    return LocalClusterConfig(
        data=tmp_path / "data",
        kubeconfig=tmp_path / "kubeconfig",
        cpu="100",
        memory="100Gi",
        default_image=Image(writable=(str(tmp_path),)),
    )


def connect(config: LocalClusterConfig) -> Kube:
    port, token = (config.data / "port").read_text(), (config.data / "token").read_text()
    return Kube(f"http://127.0.0.1:{port}", token, "default")


def test_pods_outlive_a_killed_cluster_and_run_once(config: LocalClusterConfig, tmp_path: Path) -> None:
    process = start_process(config)
    try:
        kube = connect(config)
        count = f"echo started; echo x >> {tmp_path}"
        quick = kube.run("sh", "-c", f'{count}/quick; sleep 0.5; echo "{{}}" > $TERMINATION_LOG; exit 65')
        slow = kube.run("sh", "-c", f"{count}/slow; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
        kube.running(slow)
        kube.running(quick)
        before = kube.job(slow)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: list(config.data.glob("pods/*/exit.json")))  # the quick one ends while nobody looks

        process = start_process(config)
        kube = connect(config)
        after = kube.job(slow)
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert int(kube.ok("GET", "/api/v1/pods")["metadata"]["resourceVersion"]) >= int(
            before["metadata"]["resourceVersion"]
        )
        assert condition(kube.finished(quick), "Failed")["reason"] == "PodFailurePolicy"
        message = kube.pod(quick)["status"]["containerStatuses"][0]["state"]["terminated"]["message"]
        assert message == "{}\n"
        assert kube.phase(slow) == "Running"
        (tmp_path / "go").touch()
        assert condition(kube.finished(slow), "Complete")
        assert kube.log(kube.pod(slow)["metadata"]["name"]) == "started\n"
        assert (tmp_path / "quick").read_text() == (tmp_path / "slow").read_text() == "x\n"
    finally:
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_an_orderly_stop_leaves_pods_running_unless_told(config: LocalClusterConfig) -> None:
    first = LocalCluster(config)
    first.start()
    kube = connect(config)
    name = kube.run("sh", "-c", "exec sleep 600")
    kube.running(name)
    first.stop()
    (started,) = config.data.glob("pods/*/started.json")
    pid = int(started.read_text().partition('"pid": ')[2].partition(",")[0])
    os.kill(pid, 0)

    second = LocalCluster(config)
    second.start()
    assert (second.port, second.token) == (first.port, first.token)
    assert kube.phase(name) == "Running"
    second.stop(stop_pods=True)
    until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_killed_shim_takes_its_container_along(config: LocalClusterConfig) -> None:
    cluster = LocalCluster(config)
    cluster.start()
    try:
        kube = connect(config)
        name = kube.run("sleep", "600")
        kube.running(name)
        (pid,) = config.data.glob("pods/*/pid")
        os.kill(int(pid.read_text()), signal.SIGKILL)
        kube.finished(name)
        state = kube.pod(name)["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (state["exitCode"], state["reason"]) == (137, "ContainerStatusUnknown")
    finally:
        cluster.stop(stop_pods=True)


def test_the_kubeconfig_is_private(config: LocalClusterConfig) -> None:
    cluster = LocalCluster(config)
    cluster.start()
    cluster.stop()
    for path in (config.kubeconfig, config.data / "token"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "127.0.0.1" in config.kubeconfig.read_text()
