"""What came of a job, in one line first. Pure: no query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from simulations.models import Job, JobEvent
from simulations.studies.statistics.quality import NOT_INSERTED, STANDSTILL_S, UNFINISHED
from simulations.sumo.protocol.endings import ENDINGS, Fault, Reason
from simulations.sumo.protocol.kpis import KPIS, Kpi
from simulations.telling import Told
from simulations.templatetags.figures import simclock

HEADLINES = ("vehicles_arrived", "mean_travel_time_s", "p95_travel_time_s", "mean_time_loss_s", "mean_speed_ms")
OF_PERSONS = {"persons_loaded", "persons_running_at_end", "walks_finished", "rides_finished"}
WHO = {
    Fault.TENANT: "You: the scenario or the request has to change.",
    Fault.OPERATOR: "The operator of this service.",
}


@dataclass(frozen=True)
class Verdict:
    """`kind` colours it: ok, warn, bad, info or idle."""

    kind: str
    headline: str
    who: str = ""


def verdict(job: Job, told: Told, *, end: float | None, doubtful: bool = False) -> Verdict:
    """`end` is when the simulation was to end, in seconds, where that is known; `doubtful`: its figures are to be read
    with care, so that nothing about it is green."""
    results: Mapping[str, Any] = job.results or {}
    ending = ENDINGS.get(Reason(told.reason)) if told.reason in set(Reason) else None
    who = WHO.get(ending.fault, "") if ending else ""
    if job.status == Job.Status.SUCCEEDED:
        found = _succeeded(results)
        return replace(found, kind="warn") if doubtful and found.kind == "ok" else found
    if job.is_finished:
        kind = "bad" if job.status == Job.Status.FAILED else "idle"
        stopped = _stopped(results, end)
        if stopped:
            return Verdict(kind, f"Partial: {stopped}", who)
        why = "" if told.reason == job.status else f": {_words(told.reason)}"
        return Verdict(kind, f"{job.status.capitalize()}{why}, without results", who)
    if job.cancel_requested_at:
        return Verdict("warn", "Being cancelled")
    if job.waits:
        return Verdict("warn", "Waiting" if told.reason == Reason.QUEUED else _words(told.reason).capitalize())
    percent = job.progress["percent"] if job.progress else None
    return Verdict("info", f"Running: {percent:.0f} % simulated" if percent is not None else "Running")


def _succeeded(results: Mapping[str, Any]) -> Verdict:
    kpis = results.get("kpis") or {}
    arrived, inserted = kpis.get("vehicles_arrived"), kpis.get("vehicles_inserted")
    if arrived is None or inserted is None:
        return Verdict("ok", "Complete")
    wanted = inserted + _kept_out(kpis)
    what = "trips"
    if not wanted:
        arrived, wanted, what = kpis.get("persons_finished") or 0, kpis.get("persons_loaded") or 0, "persons"
        if not wanted:
            return Verdict("warn", "Nothing simulated: nobody departed")
    word = _trouble(kpis)
    if arrived >= wanted:
        return Verdict("warn" if word else "ok", f"{word or 'Complete'}: {arrived:,} of {wanted:,} {what}")
    told = f"{arrived:,} of {wanted:,} {what}; {wanted - arrived:,} had not arrived by its end"
    return Verdict("warn" if word else "ok", f"{word or 'Complete'}: {told}")


def _kept_out(kpis: Mapping[str, Any]) -> int:
    """Vehicles that found no place to enter."""
    return sum(kpis.get(name) or 0 for name in ("vehicles_waiting_at_end", "vehicles_dropped"))


def _trouble(kpis: Mapping[str, Any]) -> str:
    """By the grave thresholds of a study's flags: its figures, of arrived trips only, flatter it then."""
    inserted, waiting = kpis.get("vehicles_inserted") or 0, _kept_out(kpis)
    if (kpis.get("standstill_s") or 0) >= STANDSTILL_S:
        return "Gridlock"
    if waiting > NOT_INSERTED[1] * (inserted + waiting):
        return "Jammed"
    running = kpis.get("vehicles_running_at_end") or 0
    if not inserted:
        inserted, running = kpis.get("persons_loaded") or 0, kpis.get("persons_running_at_end") or 0
    return "Cut short" if running > UNFINISHED[1] * inserted else ""


@dataclass(frozen=True)
class Arrivals:
    """What the means of a run are over. `others`: the trips that are left out, of the window if there is one. `lost`:
    the share of travel time that is delay, in per cent."""

    finished: int | None
    others: int
    windowed: bool
    lost: float | None


def arrivals(job: Job) -> Arrivals:
    results: Mapping[str, Any] = job.results or {}
    kpis = results.get("kpis") or {}
    loss, lasted = kpis.get("mean_time_loss_s"), kpis.get("mean_travel_time_s")
    finished, of_window = kpis.get("trips_finished"), kpis.get("trips_unfinished")
    all_trips = (kpis.get("vehicles_inserted") or 0) + _kept_out(kpis)
    others = max(0, all_trips - (finished or 0)) if of_window is None else of_window
    lost = 100 * loss / lasted if loss is not None and lasted else None
    return Arrivals(finished, others, of_window is not None, lost)


def _stopped(results: Mapping[str, Any], end: float | None) -> str:
    at = results.get("sim_end")
    if not isinstance(at, int | float) or not results.get("kpis"):
        return ""
    at -= at % 60 if at >= TO_THE_MINUTE else 0
    if not end:
        return f"stopped at {simclock(at)} of simulated time"
    to_seconds = bool(round(at) % 60 or round(end) % 60)  # both in one form
    return f"stopped at {simclock(at, to_seconds)} of {simclock(end, to_seconds)}"


def _words(reason: str) -> str:
    return reason.replace("_", " ").lower()


@dataclass(frozen=True)
class Figure:
    """A KPI with its value as people read it."""

    kpi: Kpi
    text: str


def figures(job: Job) -> tuple[list[Figure], list[Figure]]:
    """(headlines, the rest). Zeros that only say that the demand has no persons are left out."""
    results: Mapping[str, Any] = job.results or {}
    measured = results.get("kpis") or {}
    nobody = not measured.get("persons_loaded")
    shown = {
        name: Figure(kpi, kpi.text(measured[name]))
        for name, kpi in KPIS.items()
        if measured.get(name) is not None and not (nobody and name in OF_PERSONS)
    }
    return [shown[name] for name in HEADLINES if name in shown], [
        figure for name, figure in shown.items() if name not in HEADLINES
    ]


@dataclass(frozen=True)
class Phase:
    """A stretch of the job's time. `x` and `width` are its part of a bar, of 100."""

    key: str
    name: str
    seconds: float
    x: float
    width: float


TO_THE_MINUTE = 600  # seconds of simulated time; before, seconds matter
NOT_TOLD = 0.5  # seconds
NAMES = {"waits": "waited in line", "starts": "waited for a machine", "runs": "ran", "stores": "stored results"}


def phases(job: Job, events: Sequence[JobEvent], *, now: datetime) -> list[Phase]:
    """What the time between submission and end (or now) was spent on."""
    moments = [(job.submitted_at, "waits"), *((event.at, _phase_of(event)) for event in events)]
    ends = job.finished_at or now
    spent: dict[str, float] = dict.fromkeys(NAMES, 0.0)
    for (at, name), (until, _) in zip(moments, [*moments[1:], (ends, "")], strict=True):
        if name in spent:
            spent[name] += max(0.0, (min(until, ends) - at).total_seconds())
    told = {name: seconds for name, seconds in spent.items() if seconds >= NOT_TOLD}
    total, found, x = sum(told.values()), [], 0.0
    for name, seconds in told.items():
        found.append(Phase(name, NAMES[name], seconds, round(x, 2), round(100 * seconds / total, 2)))
        x += 100 * seconds / total
    return found


def _phase_of(event: JobEvent) -> str:
    if event.status in Job.TERMINAL:
        return ""
    if event.reason == Reason.QUEUED:
        return "waits"
    if event.reason in {Reason.FINISHING, Reason.CANCELLING}:
        return "stores"
    return "starts" if event.reason in Job.WAITING else "runs"
