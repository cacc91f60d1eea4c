"""How Jobs end, pause, start again and are cleaned up."""

from pathlib import Path

from tests.localcluster.kube import MERGE, Kube, condition, recorded, until
from tests.localcluster.test_deletion import HANDLER, TRAPPED, started


def test_the_ttl_counts_from_the_end_and_may_be_shortened(kube: Kube) -> None:
    name = kube.run("true")
    kube.finished(name)
    kube.ok("PATCH", kube.at("jobs", name), {"spec": {"ttlSecondsAfterFinished": 1}}, content_type=MERGE)
    until(lambda: kube.send("GET", kube.at("jobs", name))[0] == 404)
    until(lambda: not kube.pods(name))


def test_a_job_deadline_deletes_the_pod(kube: Kube) -> None:
    name = kube.run("sh", "-c", HANDLER, activeDeadlineSeconds=1, **TRAPPED)
    end = kube.finished(name)
    real = recorded("deadline-exceeded/job.json")
    assert end["status"].keys() == real["status"].keys()
    assert condition(end, "Failed")["message"] == condition(real, "Failed")["message"]
    until(lambda: not kube.pods(name))


def test_a_deadline_also_ends_what_waits_for_quota(kube: Kube) -> None:
    kube.ok("POST", kube.at("resourcequotas"), {"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "50m"}}})
    end = kube.finished(kube.run("true", activeDeadlineSeconds=1))
    assert end["status"].keys() == recorded("deadline-while-waiting-quota/job.json")["status"].keys()


def test_suspend_and_resume(kube: Kube) -> None:
    name, pod = started(kube)
    kube.ok("PATCH", kube.at("jobs", name), {"spec": {"suspend": True}}, content_type=MERGE)
    until(lambda: not kube.pods(name))
    status = until(lambda: s if (s := kube.job(name)["status"])["terminating"] == 0 else None)
    assert status.keys() == recorded("suspend-2-suspended/job.json")["status"].keys()
    kube.ok("PATCH", kube.at("jobs", name), {"spec": {"suspend": False}}, content_type=MERGE)
    again = kube.running(name)
    assert again["metadata"]["uid"] != pod["metadata"]["uid"]
    status = until(lambda: s if (s := kube.job(name)["status"]).get("ready") else None)
    assert status.keys() == recorded("suspend-3-resumed/job.json")["status"].keys()


def test_retries_up_to_the_backoff_limit_when_no_rule_says_otherwise(kube: Kube) -> None:
    end = kube.finished(kube.run("sh", "-c", "exit 3", backoffLimit=2))
    assert (end["status"]["failed"], condition(end, "Failed")["reason"]) == (3, "BackoffLimitExceeded")


def test_several_pods_at_once(kube: Kube) -> None:
    end = kube.finished(kube.run("true", completions=3, parallelism=2))
    assert end["status"]["succeeded"] == 3


def test_a_command_that_does_not_exist(kube: Kube) -> None:
    name = kube.run("no-such-program")
    kube.finished(name)
    state = kube.pod(name)["status"]["containerStatuses"][0]["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (128, "StartError")


def test_what_the_container_left_running_ends_with_it(kube: Kube) -> None:
    name = kube.run("sh", "-c", "sleep 31337 & echo $! > $TERMINATION_LOG")
    kube.finished(name)
    left = int(kube.pod(name)["status"]["containerStatuses"][0]["state"]["terminated"]["message"])
    until(lambda: not _alive(left))


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_paths_of_mounts_stand_for_folders_and_references_are_filled_in(kube: Kube) -> None:
    kube.ok("POST", kube.at("configmaps"), {"metadata": {"name": "cm"}, "data": {"city": "Bologna"}})
    kube.ok("POST", kube.at("secrets"), {"metadata": {"name": "s"}, "stringData": {"word": "xyz"}})
    env = [
        {"name": "HOME", "value": "/tmp"},
        {"name": "OUT", "value": "/work/out"},
        {"name": "CITY", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "city"}}},
        {"name": "WORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "word"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "BOTH", "value": "$(CITY)-$(WORD)"},
    ]
    script = 'mkdir "$OUT" && cat /dev/null > "$1/out/x" && ls "$OUT" && echo "$BOTH $POD" && test -d "$HOME"'
    name = kube.run("sh", "-ec", script, "sh", "/work", container={"env": env})
    assert condition(kube.finished(name), "Complete")
    pod = kube.pod(name)["metadata"]["name"]
    assert kube.log(pod) == f"x\nBologna-xyz {pod}\n"
