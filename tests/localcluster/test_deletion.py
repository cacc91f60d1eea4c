"""Deleting Jobs, pods and namespaces as recorded: propagation, grace, finalizers."""

from typing import Any

from tests.localcluster.kube import JOBS, MERGE, Kube, condition, job, recorded, until

HANDLER = 'trap "echo {} > $TERMINATION_LOG; exit 143" TERM; echo up; while :; do sleep 0.05; done'
TRAPPED = {"pod": {"terminationGracePeriodSeconds": 20}}


def started(kube: Kube, script: str = HANDLER, **options: Any) -> tuple[str, dict[str, Any]]:
    name = kube.run("sh", "-c", script, **(options or TRAPPED))
    pod = kube.running(name)
    until(lambda: "up" in kube.log(pod["metadata"]["name"]) or script != HANDLER)
    return name, pod


def test_background_the_job_is_gone_at_once_and_the_pod_after_its_grace(kube: Kube) -> None:
    name, pod = started(kube, 'trap "sleep 0.5; exit 143" TERM; echo up; while :; do sleep 0.05; done', **TRAPPED)
    until(lambda: "up" in kube.log(pod["metadata"]["name"]))
    answer = kube.ok("DELETE", kube.at("jobs", name), {"propagationPolicy": "Background"})
    assert answer.keys() == recorded("delete-background-during/delete_response.json").keys()
    assert kube.send("GET", kube.at("jobs", name))[0] == 404
    (ending,) = kube.pods(name)
    real = recorded("delete-background-during/pods.json")["items"][0]
    assert ending["metadata"].keys() == real["metadata"].keys() - {"managedFields"}
    assert ending["metadata"]["deletionGracePeriodSeconds"] == 20
    until(lambda: not kube.pods(name))


def test_without_a_policy_the_pod_is_orphaned_and_a_new_job_does_not_adopt_it(kube: Kube) -> None:
    for body in (None, {}, {"propagationPolicy": "Orphan"}):
        name, _ = started(kube)
        answer = kube.ok("DELETE", kube.at("jobs", name), body)
        assert answer["metadata"]["finalizers"] == ["orphan"]
        orphan = kube.pod(name)
        real = recorded("delete-no-policy/pods.json")["items"][0]["metadata"]
        assert (orphan["status"]["phase"], orphan["metadata"].keys()) == ("Running", real.keys())
        assert kube.send("GET", kube.at("jobs", name))[0] == 404
        kube.ok("POST", kube.at("jobs"), job("sleep", "600", name=name))
        until(lambda name=name: len(kube.pods(name)) == 2)


def test_foreground_the_job_waits_for_its_pods_and_its_name_is_taken_meanwhile(kube: Kube) -> None:
    name, pod = started(kube, 'trap "sleep 0.5; exit 0" TERM; echo up; while :; do sleep 0.05; done', **TRAPPED)
    until(lambda: "up" in kube.log(pod["metadata"]["name"]))
    answer = kube.ok("DELETE", kube.at("jobs", name), {"propagationPolicy": "Foreground"})
    real = recorded("delete-foreground-during/delete_response.json")
    assert answer["metadata"].keys() == real["metadata"].keys()
    assert answer["metadata"]["finalizers"] == ["foregroundDeletion"]
    status, refusal = kube.send("POST", kube.at("jobs"), job("true", name=name))
    assert (status, refusal["message"]) == (409, f'object is being deleted: jobs.batch "{name}" already exists')
    until(lambda: kube.send("GET", kube.at("jobs", name))[0] == 404)
    assert kube.pods(name) == []


def test_the_watch_shows_a_deleted_pods_last_words(kube: Kube) -> None:
    name, pod = started(kube)
    version = kube.ok("GET", kube.at("pods"))["metadata"]["resourceVersion"]
    kube.ok("DELETE", kube.at("jobs", name), {"propagationPolicy": "Background"})
    for event in kube.watch(kube.at("pods"), resourceVersion=version, timeoutSeconds=20):
        if event["type"] == "DELETED":
            break
    assert event["object"]["metadata"]["uid"] == pod["metadata"]["uid"]
    assert event["object"]["status"]["containerStatuses"][0]["state"]["terminated"]["message"] == "{}\n"
    real = recorded("delete-background/pods_last_seen.json")
    last = (real["items"] if isinstance(real, dict) else real)[0]
    assert event["object"]["metadata"].keys() == last.get("object", last)["metadata"].keys()


def test_sigterm_is_followed_by_sigkill_after_the_grace(kube: Kube) -> None:
    name, pod = started(
        kube, 'trap "" TERM; echo up; while :; do sleep 0.05; done', pod={"terminationGracePeriodSeconds": 1}
    )
    until(lambda: "up" in kube.log(pod["metadata"]["name"]))
    kube.ok("DELETE", kube.at("pods", pod["metadata"]["name"]))
    end = kube.finished(name)
    assert condition(end, "Failed")["reason"] == "BackoffLimitExceeded"
    assert end["status"].keys() == recorded("pod-deleted-directly/job.json")["status"].keys()


def test_a_finalizer_of_ones_own_keeps_the_pod_and_its_message(kube: Kube) -> None:
    manifest = job("sh", "-c", HANDLER, activeDeadlineSeconds=2, **TRAPPED)
    manifest["spec"]["template"]["metadata"]["finalizers"] = ["sumok8.io/keep"]
    name = manifest["metadata"]["name"]
    kube.ok("POST", kube.at("jobs"), manifest)
    assert condition(kube.finished(name), "Failed")["reason"] == "DeadlineExceeded"
    pod = kube.pod(name)
    real = recorded("deadline-with-own-finalizer/pods.json")["items"][0]
    assert pod["metadata"].keys() == real["metadata"].keys()
    assert pod["metadata"]["finalizers"] == ["sumok8.io/keep"]
    assert kube.log(pod["metadata"]["name"]).startswith("unable to retrieve container logs for containerd://")
    kube.ok("PATCH", kube.at("pods", pod["metadata"]["name"]), {"metadata": {"finalizers": None}}, content_type=MERGE)
    assert kube.pods(name) == []


def test_a_namespace_terminates_refuses_and_is_gone(kube: Kube) -> None:
    name, _ = started(kube)
    answer = kube.ok("DELETE", f"/api/v1/namespaces/{kube.namespace}")
    real = recorded("namespace-terminating/namespace.json")
    assert answer["metadata"].keys() - {"managedFields"} == real["metadata"].keys()
    assert (answer["spec"], answer["status"]) == (real["spec"], real["status"])
    status, refusal = kube.send("POST", kube.at("jobs"), job("true"))
    real = recorded("errors/403_namespace_terminating.json")
    assert (status, refusal["details"]["causes"][0]["reason"]) == (403, real["details"]["causes"][0]["reason"])
    until(lambda: kube.send("GET", f"/api/v1/namespaces/{kube.namespace}")[0] == 404)
    assert kube.ok("GET", JOBS + "/jobs", fieldSelector=f"metadata.name={name}")["items"] == []
