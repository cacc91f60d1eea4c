"""Lists in pages, selectors, watches with bookmarks, and what is too old."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from localcluster.config import Timing
from tests.local_clusters import running
from tests.localcluster.kube import JOBS, RECORDINGS, Kube, job, recorded

PARKED = {"suspend": True}


def lines_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDINGS / "watch" / name).read_text().splitlines()]


def cluster_version(kube: Kube) -> str:
    return kube.ok("GET", kube.at("jobs"))["metadata"]["resourceVersion"]


def park(kube: Kube, count: int) -> list[str]:
    """Jobs that make no pods."""
    return sorted(kube.run("true", **PARKED) for _ in range(count))


def names(answer: dict[str, object]) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def test_pages_show_one_moment(kube: Kube) -> None:
    jobs = park(kube, 5)
    first = kube.ok("GET", kube.at("jobs"), limit=2, labelSelector="sumok8.io/tenant=a")
    real = recorded("list/jobs-limit1-page1.json")
    assert (first.keys(), first["metadata"].keys()) == (real.keys(), real["metadata"].keys())
    assert first["items"][0].keys() == real["items"][0].keys()
    kube.ok("DELETE", kube.at("jobs", jobs[2]), {"propagationPolicy": "Background"})
    later = kube.run("true", **PARKED)
    second = kube.ok("GET", kube.at("jobs"), limit=2, **{"continue": first["metadata"]["continue"]})
    third = kube.ok("GET", kube.at("jobs"), limit=2, **{"continue": second["metadata"]["continue"]})
    assert names(first) + names(second) + names(third) == jobs
    assert "continue" not in third["metadata"]
    assert later not in names(third)


def test_an_expired_token_comes_with_a_fresh_one(kube: Kube) -> None:
    jobs = park(kube, 3)
    token = base64.urlsafe_b64encode(
        json.dumps({"v": "meta.k8s.io/v1", "rv": 1, "start": f"{kube.namespace}/{jobs[0]}\0"}).encode()
    ).decode()
    status, answer = kube.send("GET", kube.at("jobs"), limit=1, **{"continue": token})
    real = recorded("errors/410_continue_expired.json")
    assert (status, answer["message"], answer.keys()) == (410, real["message"], real.keys())
    rest = kube.ok("GET", kube.at("jobs"), **{"continue": answer["metadata"]["continue"]})
    assert names(rest) == jobs[1:]
    assert kube.send("GET", kube.at("jobs"), **{"continue": "nonsense"})[0] == 400


def test_a_version_from_the_future_is_a_timeout(kube: Kube) -> None:
    status, answer = kube.send("GET", kube.at("jobs"), resourceVersion=999999999)
    real = recorded("errors/504_too_large_resource_version.json")
    assert (status, answer["details"]) == (504, real["details"])


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("tier=gold", ["a"]),
        ("tier!=gold", ["b", "c"]),
        ("tier in (gold, silver)", ["a", "b"]),
        ("tier notin (gold)", ["b", "c"]),
        ("tier", ["a", "b"]),
        ("!tier", ["c"]),
        ("tier,zone=1", ["b"]),
    ],
)
def test_label_selectors(kube: Kube, selector: str, found: list[str]) -> None:
    for name, labels in (("a", {"tier": "gold"}), ("b", {"tier": "silver", "zone": "1"}), ("c", {})):
        kube.ok("POST", kube.at("configmaps"), {"metadata": {"name": name, "labels": labels}})
    assert names(kube.ok("GET", kube.at("configmaps"), labelSelector=selector)) == found


def test_field_selectors(kube: Kube) -> None:
    running, parked = kube.run("sleep", "600"), kube.run("true", **PARKED)
    pod = kube.running(running)["metadata"]["name"]
    assert names(kube.ok("GET", kube.at("pods"), fieldSelector="status.phase=Running,spec.nodeName=local-1")) == [pod]
    assert names(kube.ok("GET", kube.at("pods"), fieldSelector="status.phase!=Running")) == []
    assert names(kube.ok("GET", kube.at("jobs"), fieldSelector=f"metadata.name={parked}")) == [parked]
    reasons = {
        e["reason"]
        for e in kube.items("events", fieldSelector=f"involvedObject.name={running},reason=SuccessfulCreate")
    }
    assert reasons == {"SuccessfulCreate"}
    assert kube.send("GET", kube.at("jobs"), fieldSelector="spec.nothing=1")[0] == 400


def test_a_watch_tells_every_change_once_and_ends_in_time(kube: Kube) -> None:
    version = kube.ok("GET", kube.at("jobs"))["metadata"]["resourceVersion"]
    name = kube.run("true")
    kube.finished(name)
    kube.ok("DELETE", kube.at("jobs", name), {"propagationPolicy": "Background"})
    lines = list(kube.watch(kube.at("jobs"), resourceVersion=version, timeoutSeconds=1))
    assert lines[0]["type"] == "ADDED"
    assert lines[-1]["type"] == "DELETED"
    versions = [int(line["object"]["metadata"]["resourceVersion"]) for line in lines]
    assert versions == sorted(set(versions))
    assert {line["object"]["kind"] for line in lines} == {"Job"}


def test_a_watch_without_a_version_begins_with_what_is_there(kube: Kube) -> None:
    jobs = park(kube, 2)
    lines = list(kube.watch(kube.at("jobs"), timeoutSeconds=1))
    assert [line["object"]["metadata"]["name"] for line in lines if line["type"] == "ADDED"] == jobs


def test_a_watch_with_a_selector_sees_objects_come_and_go(kube: Kube) -> None:
    kube.ok("POST", kube.at("configmaps"), {"metadata": {"name": "x"}})
    version = kube.ok("GET", kube.at("configmaps"))["metadata"]["resourceVersion"]
    for labels in ({"on": "1"}, {"on": "1", "more": "1"}, {"on": None}):
        kube.ok(
            "PATCH",
            kube.at("configmaps", "x"),
            {"metadata": {"labels": labels}},
            content_type="application/merge-patch+json",
        )
    lines = list(kube.watch(kube.at("configmaps"), resourceVersion=version, labelSelector="on", timeoutSeconds=1))
    assert [line["type"] for line in lines] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_watch_too_old_is_one_error_line_and_a_quiet_one_has_bookmarks(tmp_path: Path) -> None:
    with running(tmp_path, history=2, timing=Timing(bookmark=0.1)) as cluster:
        kube = Kube.of(cluster)
        park(kube, 3)
        (line,) = kube.watch(kube.at("jobs"), resourceVersion=1, timeoutSeconds=5)
        bookmark = next(kube.watch(kube.at("jobs"), resourceVersion=cluster_version(kube), allowWatchBookmarks="true"))
    real_bookmark = next(x for x in lines_of("jobs-watch.jsonl") if x["type"] == "BOOKMARK")
    assert bookmark["object"] | {"metadata": 0} == real_bookmark["object"] | {"metadata": 0}
    (real,) = lines_of("watch-410-gone.jsonl")
    assert line["type"] == real["type"]
    assert (line["object"].keys(), line["object"]["code"], line["object"]["reason"]) == (
        real["object"].keys(),
        410,
        "Expired",
    )


def test_the_cluster_wide_list_holds_all_namespaces(kube: Kube) -> None:
    name = kube.run("true", **PARKED)
    assert name in names(kube.ok("GET", f"{JOBS}/jobs"))


def test_dry_run_changes_nothing(kube: Kube) -> None:
    manifest = job("true")
    assert kube.send("POST", kube.at("jobs"), manifest, dryRun="All")[0] == 201
    assert kube.items("jobs") == []
