"""One plain sentence per reason: what happened, and what to do next. Those that need no figures are in the table of
endings; docs/reasons.md says more about each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from clusterops.contract import Run
from simulations.models import Job
from simulations.sumo.protocol.endings import ENDINGS, Reason
from simulations.sumo.protocol.problems import plain

# Karpenter's words (pkg/controllers/provisioning/scheduling); it names the pool, the local cluster its limits as well.
POOL_LIMIT = re.compile(r"(?:exceed limits|limits have been exhausted) for nodepool(?: \([^)]*\bcpu=(?P<cpu>[\d.]+))?")
NO_MACHINE_FITS = "Failed to schedule pod"
# How these sentences begin, by which attention knows them.
POOL_FULL = "The node pool is at its limit"
NOTHING_FITS = "No machine has room, and at present none that fits can be added."


@dataclass(frozen=True)
class Facts:
    """What a sentence may speak of."""

    job: Job
    run: Run | None
    detail: str  # the cluster's own words, without a full stop
    report: Mapping[str, Any]

    @property
    def first_error(self) -> str:
        errors = self.report.get("errors")
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        return str(first.get("message") or "")

    @property
    def simulated(self) -> str:
        """“ at simulated time 1800 s of 3600 s”, as far as it is known."""
        at = self.report.get("sim_end")
        if at is None and self.job.progress:
            at = self.job.progress.get("sim_time")
        if at is None:
            return ""
        end = self.job.scenario_data.get("end")
        return f" at simulated time {plain(at)} s" + (f" of {plain(end)} s" if isinstance(end, int | float) else "")


def sentence(reason: str, job: Job, run: Run | None = None, report: Mapping[str, Any] | None = None) -> str:
    """The message that goes with `reason`. Only `decide` promises a new attempt, where it begins one."""
    detail = (run.detail if run else "").strip().rstrip(".")[:500]
    facts = Facts(job=job, run=run, detail=detail, report=report or (run.report if run else None) or {})
    ending = ENDINGS[Reason(reason)]
    if ending.runner_says and facts.first_error:
        return facts.first_error.strip()
    says = WITH_FIGURES[ending.reason](facts) if not ending.sentence else ending.sentence
    return f"{says} The cluster says: {detail}." if ending.cluster_says and detail else says


def _memory(facts: Facts) -> str:
    had = facts.job.memory_gi
    return f"The simulation needed more than {had} Gi of memory. Submit it again with memory_gi {2 * had}."


def _time_limit(facts: Facts) -> str:
    limit = facts.job.scenario_data.get("time_limit_s")
    which = f" of {_span(limit)}" if isinstance(limit, int | float) else ""
    kept = "; partial results are kept" if facts.simulated else ""
    return (
        f"The time limit{which} was reached{facts.simulated}. Submit it again with a longer time limit or an earlier "
        f"end{kept}."
    )


def _span(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{plain(minutes)} min" if minutes and not rest else f"{plain(seconds)} s"


def _completed(facts: Facts) -> str:
    kpis = facts.report.get("kpis")
    waiting = kpis.get("vehicles_waiting_at_end") if isinstance(kpis, dict) else None
    text = "The simulation ended normally and its results are stored."
    if isinstance(waiting, int | float) and waiting > 0:
        vehicles = "1 vehicle was" if waiting == 1 else f"{waiting:g} vehicles were"
        text += f" {vehicles} still waiting to enter the network at the end."
    return text


def _waiting_for_node(facts: Facts) -> str:
    words = facts.run.detail if facts.run else ""
    if found := POOL_LIMIT.search(words):
        limit = f" of {found['cpu']} CPU" if found["cpu"] else ""
        text = f"{POOL_FULL}{limit}; it starts when other jobs end or the operator raises the limit."
    elif words.startswith(NO_MACHINE_FITS):
        text = f"{NOTHING_FITS} Ask for less CPU or memory, or tell the operator."
    else:
        text = (
            "No machine has room yet; if the cluster adds machines by itself, one is being started, usually in 2 to 5 "
            "minutes."
        )
    return text


def _cancelling(facts: Facts) -> str:
    if facts.run and facts.run.orphan:
        return "Its pod belongs to no Kubernetes Job any more, so only an operator can remove it; tell them."
    return "It is being stopped; its partial results are collected first."


def _start_timeout(facts: Facts) -> str:
    return (
        f"It could not start within {settings.START_TIMEOUT_S // 60} minutes and was taken back. Submit it again "
        "later, or ask for less CPU or memory."
    )


def _waiting_for_kueue(facts: Facts) -> str:
    text = "Waiting for Kueue, which shares the cluster with other work: it starts when there is room for it."
    return f"{text} What it had simulated is lost, as its room was needed." if facts.job.started_at else text


# What the table leaves empty.
WITH_FIGURES: dict[Reason, Callable[[Facts], str]] = {
    Reason.WAITING_FOR_NODE: _waiting_for_node,
    Reason.WAITING_KUEUE: _waiting_for_kueue,
    Reason.CANCELLING: _cancelling,
    Reason.COMPLETED: _completed,
    Reason.OUT_OF_MEMORY: _memory,
    Reason.TIME_LIMIT: _time_limit,
    Reason.START_TIMEOUT: _start_timeout,
}
