"""Jobs, studies and figures as plain text for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .jobs import Job
from .studies import Study

WIDTH = 30
# name: (label, unit that people read, decimals there). The service's own table of figures; a test compares them.
KPIS: dict[str, tuple[str, str, int]] = {
    "vehicles_inserted": ("vehicles inserted", "", 0),
    "vehicles_arrived": ("vehicles arrived", "", 0),
    "vehicles_running_at_end": ("vehicles still under way at the end", "", 0),
    "vehicles_waiting_at_end": ("vehicles still waiting to enter at the end", "", 0),
    "vehicles_dropped": ("vehicles dropped before they entered", "", 0),
    "trips_finished": ("trips finished", "", 0),
    "trips_unfinished": ("trips of the window not finished", "", 0),
    "vehicle_time_h": ("vehicle-hours of all trips", "h", 2),
    "mean_travel_time_s": ("mean travel time", "s", 1),
    "p95_travel_time_s": ("95th percentile of travel times", "s", 1),
    "mean_time_loss_s": ("mean time loss", "s", 1),
    "mean_waiting_time_s": ("mean waiting time", "s", 1),
    "mean_depart_delay_s": ("mean depart delay", "s", 2),
    "mean_speed_ms": ("mean speed", "km/h", 1),
    "mean_route_length_m": ("mean route length", "m", 0),
    "total_travel_time_s": ("total travel time", "h", 1),
    "teleports": ("teleports", "", 0),
    "collisions": ("collisions", "", 0),
    "emergency_braking": ("emergency brakings", "", 0),
    "standstill_s": ("longest standstill", "s", 0),
    "persons_loaded": ("persons loaded", "", 0),
    "persons_running_at_end": ("persons still under way at the end", "", 0),
    "walks_finished": ("walks finished", "", 0),
    "mean_walk_time_s": ("mean walk time", "s", 1),
    "rides_finished": ("rides finished", "", 0),
    "persons_finished": ("persons at their destination", "", 0),
    "mean_person_trip_time_s": ("mean trip time of persons", "s", 1),
    "mean_ride_waiting_time_s": ("mean waiting time for rides", "s", 1),
    "co2_kg": ("CO₂", "kg", 1),
    "nox_g": ("NOx", "g", 1),
    "pmx_g": ("PMx", "g", 1),
    "fuel_kg": ("fuel", "kg", 1),
}
# By what a value is multiplied for that unit, where the name says another one.
TIMES = {"mean_speed_ms": 3.6, "total_travel_time_s": 1 / 3600}


def clock(seconds: float) -> str:
    """Simulated time as H:MM:SS."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def size(count: int) -> str:
    """Of so many bytes."""
    return f"{count / 1024**2:,.1f} MiB" if count >= 1024**2 else f"{count / 1024:,.1f} KiB"


def line_of(job: Mapping[str, Any]) -> str:
    """One line: a bar, percent, simulated time and vehicles once there are any; else the state and its reason."""
    if job["status"] == "SUCCEEDED":  # what else was reported came from before the end, if anything
        return f"[{'█' * WIDTH}] 100%  SUCCEEDED"
    progress = job.get("progress")
    if not progress or job["status"] == "PENDING":
        return f"{job['status']}  {job.get('message', '')}"
    percent = progress.get("percent")
    filled = int(WIDTH * (percent or 0) / 100)
    bar = f"[{'█' * filled}{'·' * (WIDTH - filled)}] {percent:3.0f}%" if percent is not None else "[no end time given]"
    state = job["message"] if job.get("silent_since") or job.get("reason") == "CANCELLING" else job["status"]
    vehicles = "vehicle" if progress["running"] == 1 else "vehicles"
    return f"{bar}  simulated {clock(progress['sim_time'])}  {progress['running']:,} {vehicles} running  {state}"


def study_line(study: Mapping[str, Any]) -> str:
    """One line: how many runs have ended, wait or failed, and how long it may take."""
    runs = study["runs"]
    parts = [f"{runs['succeeded']} of {runs['total']} runs succeeded"]
    parts += [f"{runs[name]} {name}" for name in ("running", "queued", "planned", "failed", "cancelled") if runs[name]]
    if study["eta_s"] and study["status"] == "RUNNING":
        parts.append(f"about {study['eta_s']:.0f} s to go")
    return f"{study['status']}  {', '.join(parts)}"


def cost(estimate: Mapping[str, Any]) -> str:
    """A study's estimate as a sentence."""
    if estimate["cpu_h"] is None:
        return "What it costs is not known: no such run has ended yet."
    return f"About {estimate['cpu_h']:g} CPU hours and {estimate['duration_s']:.0f} s under today's limits."


def study_findings(summary: Mapping[str, Any]) -> Iterator[str]:
    """What a study's summary says of its primary figures, a line each."""
    for cell in summary["cells"]:
        for name in summary["primary_kpis"]:
            if known := cell["kpis"].get(name):
                low, high = (figure(name, end) for end in known["ci"] or (None, None))
                label = KPIS[name][0] if name in KPIS else name
                yield f"{cell['cell']}  {label}  n {known['n']}  mean {figure(name, known['mean'])}  {low} to {high}"
    for each in summary["comparisons"]:
        if each["primary"]:
            yield each["sentence"]
    for flag in summary["flags"]:
        yield f"{flag['level']}: {flag['cell'] or 'study'}: {flag['message']}"
    if not summary["final"]:
        yield "Not final: from the runs that have ended so far."


def show(looks: Iterable[Job | Study], out: Any = sys.stdout) -> None:
    """Draw each state as it comes: over itself on a terminal, otherwise a line per change."""
    shown = ""
    for look in looks:
        line = line_of(look.data) if isinstance(look, Job) else study_line(look.data)
        if out.isatty():
            out.write(f"\r\x1b[2K{line[:160]}")
        elif line != shown:
            out.write(line + "\n")
        out.flush()
        shown = line
    if out.isatty():
        out.write("\n")


def figure(name: str, value: float | None) -> str:
    """A figure as people read it; a dash if it was not measured. A mean of 0.3 teleports is not none."""
    _, unit, decimals = KPIS.get(name, ("", "", 2))
    if value is None:
        return "-"
    value *= TIMES.get(name, 1)
    return f"{value:,.{decimals or int(value % 1 > 0 and not unit)}f} {unit}".rstrip()


def results_table(kpis: Mapping[str, Any]) -> str:
    """The traffic results, one figure a line; what was not measured is left out."""
    rows = [name for name in [*KPIS, *sorted(kpis.keys() - KPIS.keys())] if kpis.get(name) is not None]
    label = {name: KPIS.get(name, (name, "", 2))[0] for name in rows}
    return "\n".join(f"  {label[name]:<44}{figure(name, kpis[name]):>14}" for name in rows) or "  no figures"
