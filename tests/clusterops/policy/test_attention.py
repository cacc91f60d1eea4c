"""Facts → what needs somebody, as tables; how each comes about and goes is in `reconciler/test_attention.py`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clusterops.policy.attention import Finding, Silence, findings, tally
from clusterops.policy.causes import Severity
from clusterops.policy.facts import Facts, Failures, Group, LineFact, Machinery, NodeFact, Store, Waiting
from simulations.sumo.protocol.endings import Fault

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def machinery(**other: Any) -> Machinery:
    return Machinery(**({"looked_at": NOW, "saw_cluster_at": NOW, "sees_cluster": True} | other))


def found(*silences: Silence, **facts: Any) -> list[Finding]:
    return findings(Facts(NOW, **({"machinery": (machinery(),)} | facts)), silences)


def told(**facts: Any) -> list[tuple[str, str, int]]:
    return [(each.cause.code, each.severity.value, each.count) for each in found(**facts)]


def nodes(ready: int, lame: int) -> list[NodeFact]:
    return [*(NodeFact(f"up-{n}", True) for n in range(ready)), *(NodeFact(f"down-{n}", False) for n in range(lame))]


@pytest.mark.parametrize(
    "state, cause, details",
    [
        ({"is_down": True, "error": "x", "saw_cluster_at": ago(60)}, ("cluster_down", "bad", 1),
         "Last seen: 2026-11-23 11:00 UTC."),
        ({"is_down": True, "saw_cluster_at": None}, ("cluster_down", "bad", 1), "Last seen: never."),
        ({"looked_at": None, "error": "x"}, ("reconciler_silent", "bad", 1), "It never passed."),
        ({"looked_at": ago(2.1), "error": "x"}, ("reconciler_silent", "bad", 1), ""),
        ({"cluster": "b", "looked_at": ago(2.1)}, ("reconciler_silent", "bad", 1), "Cluster b"),
        ({"looked_at": ago(2)}, None, ""),
        ({"sees_cluster": False, "error": "refused"}, ("cluster_unreachable", "bad", 1), "refused"),
        ({"error": "boom"}, ("pass_failed", "bad", 1), "boom"),
        ({"error": "boom", "cluster": "b"}, ("pass_failed", "bad", 1), "Cluster b: boom"),
        ({"pass_s": 30.0}, None, ""),
        ({"pass_s": 30.6}, ("reconciler_slow", "warn", 1), "The last one took 31 s."),
        ({"troubles": [Group(detail="job 7")], "failing": 1}, ("rows_failing", "bad", 1), "job 7"),
        ({"troubles": [Group(detail="job 7")], "failing": 3}, ("rows_failing", "bad", 3), "job 7"),
        ({"drift": {"pods without a Job": 2, "strays": 1}}, ("disagreement", "warn", 3),
         "2 pods without a Job, 1 strays"),
        ({"certificate_ends_at": NOW + timedelta(days=14)}, None, ""),
        ({"certificate_ends_at": NOW + timedelta(days=13)}, ("certificate_expiring", "warn", 1),
         "On 2026-12-06 12:00 UTC."),
        ({"certificate_ends_at": NOW}, ("certificate_expiring", "bad", 1), "On 2026-11-23 12:00 UTC."),
        ({"free_share": 0.1}, None, ""),
        ({"free_share": 0.05}, ("volume_nearly_full", "warn", 1), "5.0% of it is free."),
        ({"free_share": 0.019}, ("volume_nearly_full", "bad", 1), "1.9% of it is free."),
        ({"nodes": nodes(2, 0)}, None, ""),
        ({"nodes": nodes(1, 6)}, ("nodes_not_ready", "warn", 6), "down-0, down-1, down-2, down-3, down-4 …"),
        ({"nodes": nodes(0, 2)}, ("nodes_not_ready", "bad", 2), "down-0, down-1"),
    ],
)  # fmt: skip
def test_the_machinery(state: dict[str, Any], cause: tuple[str, str, int] | None, details: str) -> None:
    seen = found(machinery=[machinery(**state)])
    assert [(each.cause.code, each.severity.value, each.count) for each in seen] == ([cause] if cause else [])
    assert ", ".join(words for each in seen for words in each.details) == details


@pytest.mark.parametrize(
    "reason, minutes, more, code",
    [
        ("WAITING_FOR_NODE", 14, {}, None),
        ("WAITING_FOR_NODE", 15, {}, "unschedulable"),
        ("WAITING_FOR_NODE", 2, {"nothing_fits": True}, "unschedulable"),
        ("WAITING_FOR_NODE", 1, {"nothing_fits": True}, None),
        ("WAITING_FOR_NODE", 2, {"pool_full": True}, "pool_at_limit"),
        ("WAITING_QUOTA", 14, {}, None),
        ("WAITING_QUOTA", 15, {}, "waiting_quota"),
        ("STARTING", 9, {}, None),
        ("STARTING", 10, {}, "starting_slowly"),
        ("IMAGE_ERROR", 0, {}, "image_error"),
        ("NAMESPACE_TERMINATING", 0, {}, "namespace_terminating"),
        ("WAITING_KUEUE", 9999, {}, None),
    ],
)
def test_what_the_cluster_has_and_does_not_run(reason: str, minutes: int, more: dict[str, bool], code: str) -> None:
    waiting = Waiting(reason, Group("city-a", 2, ago(minutes)), **more)
    assert [each.cause.code for each in found(waiting=[waiting])] == ([code] if code else [])
    assert found(waiting=[Waiting(reason, Group("city-a"), **more)]) == []  # since when, nobody knows


def failed(reason: str, count: int, tenant: str = "city-a", *, mended: bool = False) -> Failures:
    return Failures(reason, Group(tenant, count, ago(30)), mended)


@pytest.mark.parametrize(
    "failures, ended, expected",
    [
        ([failed("IMAGE_ERROR", 1)], 1, [("image_error", "bad", 1)]),
        ([failed("IMAGE_ERROR", 1, mended=True)], 1, []),
        ([failed("NODE_LOST", 2)], 2, []),
        ([failed("NODE_LOST", 2), failed("PREEMPTED", 1, "b")], 2, [("machines_lost", "warn", 3)]),
        ([failed("NODE_LOST", 2), failed("PREEMPTED", 1, "b", mended=True)], 2, []),
        ([failed("SUMO_FAILED", 3)], 3, []),
        ([failed("SUMO_FAILED", 4)], 8, []),
        ([failed("SUMO_FAILED", 3), failed("TIME_LIMIT", 1)], 7, [("jobs_failing", "warn", 4)]),
        ([failed("SUMO_FAILED", 2), failed("SUMO_FAILED", 2, "b")], 4, []),  # of one tenant are too few
    ],
)
def test_what_failed_lately(failures: list[Failures], ended: int, expected: list[tuple[str, str, int]]) -> None:
    assert told(failures=failures, ended={"city-a": ended}) == expected


def test_most_of_a_tenants_jobs_fail_in_words() -> None:
    [each] = found(failures=[failed("SUMO_FAILED", 4)], ended={"city-a": 7})
    assert each.tenants == (Group("city-a", 4, ago(30), "4 of 7 that ended in the last hour."),)


@pytest.mark.parametrize(
    "line, expected",
    [
        (LineFact("city-a", 9, ago(59)), []),
        (LineFact("city-a", 9, ago(60)), [("waits_for_room", "bad", 9)]),
        (LineFact("city-a", 9, ago(60), at_limit="2 of 2 slots"), [("waits_at_limits", "warn", 9)]),
        (LineFact("city-a", 9, ago(1), unfit=2), [("never_fits", "bad", 2)]),
        (LineFact("city-a", 0, None), []),
    ],
)
def test_lines(line: LineFact, expected: list[tuple[str, str, int]]) -> None:
    assert told(lines=[line]) == expected


@pytest.mark.parametrize(
    "used, limit, severity, words",
    [
        (89, 100, None, ""),
        (90, 100, "warn", "90% of its results."),
        (100, 100, "bad", "100% of its results."),
        (0, 0, "bad", "all of its results."),
    ],
)
def test_storage(used: int, limit: int, severity: str | None, words: str) -> None:
    seen = found(stores=[Store("city-a", "results", used, limit)])
    assert [(each.severity.value, each.details) for each in seen] == ([(severity, (words,))] if severity else [])


def test_the_rest_is_passed_on() -> None:
    assert told(spaces=[Group("city-a", severe=True), Group("b")]) == [
        ("namespace_problem", "bad", 1), ("quota_drift", "warn", 1),
    ]  # fmt: skip
    assert told(webhooks=[Group("city-a", 2)], keys=[Group("city-a"), Group(), Group()]) == [
        ("admin_key_expiring", "warn", 2), ("webhooks_failing", "warn", 2), ("key_expiring", "warn", 1),
    ]  # fmt: skip


def test_jobs_that_wait_and_jobs_that_failed_for_one_cause_are_told_together() -> None:
    waiting = [Waiting("IMAGE_ERROR", Group("city-a", 2, ago(5))), Waiting("IMAGE_ERROR", Group("b", 5, ago(1)))]
    [each] = found(waiting=waiting, failures=[failed("IMAGE_ERROR", 1)])
    assert (each.count, each.since) == (8, ago(30))
    assert [(part.tenant_id, part.count, part.since) for part in each.tenants] == [
        ("b", 5, ago(1)), ("city-a", 3, ago(30)),
    ]  # fmt: skip


def test_a_silence_is_of_one_tenant_or_of_all() -> None:
    keys = [Group("city-a"), Group("b")]
    assert [each.count for each in found(Silence("key_expiring", "city-a"), keys=keys)] == [1]
    assert found(Silence("key_expiring", None), keys=keys) == []
    assert len(found(Silence("image_error", None), keys=keys)) == 1


def test_the_head_of_a_page_counts_whom_it_concerns() -> None:
    warning = found(keys=[Group("city-a")])
    broken = found(machinery=[machinery(error="boom")], keys=[Group("city-a")])
    assert [each.cause.code for each in broken] == ["pass_failed", "key_expiring"]  # the broken first
    assert (tally([]).by_who, tally([]).severity) == ({}, None)
    assert (tally(warning).by_who, tally(warning).severity) == ({Fault.TENANT: 1}, Severity.WARN)
    for order in (broken, broken[::-1]):
        assert (tally(order).by_who, tally(order).severity) == ({Fault.OPERATOR: 1, Fault.TENANT: 1}, Severity.BAD)
