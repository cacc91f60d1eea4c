"""Reading and following pod logs."""

from tests.localcluster.kube import Kube, until


def ended(kube: Kube, script: str) -> str:
    name = kube.run("sh", "-c", script)
    kube.finished(name)
    return kube.pod(name)["metadata"]["name"]


def test_options(kube: Kube) -> None:
    pod = ended(kube, "for i in $(seq 1000); do echo line $i; done; echo err >&2; printf rest")
    lines = kube.log(pod).splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("line 1", "rest", 1002)
    assert kube.log(pod, tailLines=2) == "err\nrest"
    assert kube.log(pod, tailLines=0) == ""
    assert kube.log(pod, limitBytes=10) == "line 1\nlin"
    stamp, _, text = kube.log(pod, timestamps="true", tailLines=3).splitlines()[0].partition(" ")
    assert (text, stamp[-1], len(stamp)) == ("line 1000", "Z", 30)
    assert kube.log(pod, sinceTime=stamp).splitlines()[-1] == "rest"
    assert kube.log(pod, sinceTime="2999-01-01T00:00:00Z") == ""
    assert kube.log(pod, sinceSeconds=3600).startswith("line 1\n")


def test_following_ends_with_the_pod(kube: Kube) -> None:
    name = kube.run("sh", "-c", "echo one; sleep 0.3; echo two")
    pod = kube.running(name)["metadata"]["name"]
    response = kube.open("GET", kube.at("pods", pod, "log"), follow="true")
    assert response.readline() == b"one\n"
    assert response.read() == b"two\n"


def test_a_running_pods_log_is_readable(kube: Kube) -> None:
    pod = kube.running(kube.run("sh", "-c", "echo up; sleep 600"))["metadata"]["name"]
    assert until(lambda: kube.log(pod)) == "up\n"
