"""One plain sentence per reason: what happened, and what to do next. docs/reasons.md says more about each."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from clusterops.contract import Run
from simulations.models import Job
from simulations.sumo.protocol.problems import plain

Reason = Job.Reason

# Karpenter's words (pkg/controllers/provisioning/scheduling); it names the pool, the local cluster its limits as well.
POOL_LIMIT = re.compile(r"(?:exceed limits|limits have been exhausted) for nodepool(?: \([^)]*\bcpu=(?P<cpu>[\d.]+))?")
NO_MACHINE_FITS = "Failed to schedule pod"


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
        if at is None:
            at = (self.job.progress or {}).get("sim_time")
        if at is None:
            return ""
        end = self.job.scenario_data.get("end")
        return f" at simulated time {plain(at)} s" + (f" of {plain(end)} s" if isinstance(end, int | float) else "")


def sentence(reason: str, job: Job, run: Run | None = None, report: Mapping[str, Any] | None = None) -> str:
    """The message that goes with `reason`."""
    detail = (run.detail if run else "").strip().rstrip(".")[:500]
    facts = Facts(job=job, run=run, detail=detail, report=report or (run.report if run else None) or {})
    says = SENTENCES[reason]
    return (says if isinstance(says, str) else says(facts)).strip()


def _quoted(text: str) -> str:
    return f" The cluster says: {text}." if text else ""


def _sumo(facts: Facts) -> str:
    return facts.first_error or "SUMO stopped with an error; sumo.log among the results has its words."


def _memory(facts: Facts) -> str:
    had = facts.job.memory_gi
    return f"The simulation needed more than {had} Gi of memory. Submit it again with memory_gi {2 * had}."


def _time_limit(facts: Facts) -> str:
    limit = facts.job.scenario_data.get("time_limit_s")
    which = f" of {plain(limit)} s" if isinstance(limit, int | float) else ""
    kept = "; partial results are kept" if facts.simulated else ""
    return (
        f"The time limit{which} was reached{facts.simulated}. Submit it again with a larger time_limit_s or an "
        f"earlier end{kept}."
    )


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
        text = f"The node pool is at its limit{limit}; it starts when other jobs end or the operator raises the limit."
    elif words.startswith(NO_MACHINE_FITS):
        text = (
            "No machine has room, and at present none that fits can be added. Ask for less CPU or memory, or tell the "
            "operator."
        )
    else:
        text = (
            "No machine has room yet; if the cluster adds machines by itself, one is being started, usually in 2 to 5 "
            "minutes."
        )
    return text + _quoted(facts.detail)


def _again(why: str) -> Callable[[Facts], str]:
    def says(facts: Facts) -> str:
        if facts.job.is_finished or facts.job.attempt >= settings.MAX_ATTEMPTS:
            tried = f"It was tried {facts.job.attempt} times."
            return f"{why} {tried} Submit it again; if it happens again, tell the operator."
        return f"{why} It starts again by itself; this is not your fault."

    return says


SENTENCES: dict[str, str | Callable[[Facts], str]] = {
    # waiting and running
    Reason.QUEUED: "Waiting for a free slot.",
    Reason.STARTING: lambda f: "A machine is preparing the simulation." + _quoted(f.detail),
    Reason.WAITING_FOR_NODE: _waiting_for_node,
    Reason.WAITING_QUOTA: lambda f: (
        "The cluster's quota for your namespace is used up for the moment; it starts when room is free. If it stays "
        "so, tell the operator." + _quoted(f.detail)
    ),
    Reason.WAITING_KUEUE: lambda f: (
        "Waiting for Kueue, which shares the cluster with other work: it starts when there is room for it. What it had "
        "simulated is lost, as its room was needed."
        if f.job.started_at
        else "Waiting for Kueue, which shares the cluster with other work: it starts when there is room for it."
    ),
    Reason.RUNNING: "The simulation is running.",
    Reason.FINISHING: "The simulation has ended; its outcome is being collected.",
    Reason.CANCELLING: lambda f: (
        "Its pod belongs to no Kubernetes Job any more, so only an operator can remove it; tell them."
        if f.run and f.run.orphan
        else "It is being stopped; its partial results are collected first."
    ),
    # ended well, or by wish
    Reason.COMPLETED: _completed,
    Reason.CANCELLED: "Cancelled on request.",
    # the simulation's own failures
    Reason.SUMO_FAILED: _sumo,
    Reason.INVALID_JOB: lambda f: f.first_error or "The runner refused the job's description; tell the operator.",
    Reason.INVALID_SCENARIO: lambda f: f.first_error or "The scenario is not valid; upload a corrected version.",
    Reason.TOO_MANY_TELEPORTS: lambda f: (
        f.first_error or "More vehicles were teleported than the job allows; check the network for deadlocks."
    ),
    Reason.OUTPUT_LIMIT: lambda f: (
        f.first_error or "It wrote more than the output limit allows. Ask for fewer or coarser outputs."
    ),
    Reason.SUMO_CRASHED: lambda f: (
        f.first_error or "SUMO crashed. Try again without rarely used options; sumo.log has its last words."
    ),
    Reason.OUT_OF_MEMORY: _memory,
    Reason.TIME_LIMIT: _time_limit,
    Reason.EVICTED_DISK: lambda f: (
        "It filled the disk that a job may use. Ask for fewer or coarser outputs." + _quoted(f.detail)
    ),
    # ours or the cluster's
    Reason.RESULTS_NOT_STORED: lambda f: (
        f.first_error or "The simulation ended, but its results could not be stored. Submit it again."
    ),
    Reason.RUNNER_ERROR: lambda f: (
        f.first_error or "The program around SUMO failed, which is our fault; tell the operator." + _quoted(f.detail)
    ),
    Reason.KILLED: lambda f: (
        "It was killed from outside without a word why. Submit it again; if it happens again, try more memory."
        + _quoted(f.detail)
    ),
    Reason.SERVICE_UNREACHABLE: lambda f: _again(
        f"{f.first_error.rstrip('.') or 'Its pod could not reach the control plane'}."
    )(f),
    Reason.INTERRUPTED: _again("The machine stopped the simulation before its end."),
    Reason.PREEMPTED: _again("Its machine was taken away for other work or maintenance."),
    Reason.NODE_LOST: _again("Its machine does not answer any more."),
    Reason.IMAGE_ERROR: lambda f: "The simulation's image cannot be loaded; the operator must act." + _quoted(f.detail),
    Reason.CONFIG_ERROR: lambda f: (
        "The simulation's container cannot be made; the operator must act." + _quoted(f.detail)
    ),
    Reason.ADMISSION_REFUSED: lambda f: (
        "The cluster's rules refuse the simulation's pod; the operator must act." + _quoted(f.detail)
    ),
    Reason.START_TIMEOUT: lambda f: (
        f"It could not start within {settings.START_TIMEOUT_S // 60} minutes and was taken back. Submit it again "
        "later, or ask for less CPU or memory." + _quoted(f.detail)
    ),
    Reason.DELETED_EXTERNALLY: "Somebody deleted it in the cluster, not through this service. Submit it again.",
    Reason.NAMESPACE_TERMINATING: (
        "The tenant's namespace was deleted in the cluster, or is being deleted; jobs wait or are lost with it. The "
        "operator must act."
    ),
    Reason.LOST: (
        "It vanished from the cluster and left no evidence of how it ended. Results uploaded before that are kept. "
        "Submit it again."
    ),
}
