"""A job's progress and results as text for a terminal."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from simulations.sumo.protocol.kpis import KPIS

WIDTH = 30
HEADLINES = [kpi for kpi in KPIS.values() if kpi.is_headline]
LABEL_WIDTH = max(len(kpi.label) for kpi in HEADLINES) + 1


class Terminal(Protocol):
    """What is needed of standard output."""

    def write(self, text: str, /) -> Any: ...
    def flush(self) -> None: ...
    def isatty(self) -> bool: ...


def clock(seconds: float) -> str:
    """Simulated time as H:MM:SS."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02}:{whole % 60:02}"


def line_of(job: Mapping[str, Any]) -> str:
    """One line: a bar, percent, simulated time and vehicles once there are any; else the state and its reason."""
    progress = job.get("progress")
    if not progress or job["status"] == "PENDING":
        return f"{job['status']}  {job.get('message', '')}"
    if job["status"] == "SUCCEEDED":  # the last report came from before the end
        return f"[{'█' * WIDTH}] 100%  SUCCEEDED"
    percent = progress.get("percent")
    filled = int(WIDTH * (percent or 0) / 100)
    bar = f"[{'█' * filled}{'·' * (WIDTH - filled)}] {percent:3.0f}%" if percent is not None else "[no end time given]"
    state = job["message"] if job.get("silent_since") or job.get("reason") == "CANCELLING" else job["status"]
    return f"{bar}  simulated {clock(progress['sim_time'])}  {progress['running']:,} vehicles running  {state}"


def show(jobs: Iterable[Mapping[str, Any]], out: Terminal = sys.stdout) -> Mapping[str, Any]:
    """Draw each state as it comes: over itself on a terminal, otherwise a line per change. Returns the last one."""
    shown, last = "", None
    for last in jobs:
        line = line_of(last)
        if out.isatty():
            out.write(f"\r\x1b[2K{line[:160]}")
        elif line != shown:
            out.write(line + "\n")
        out.flush()
        shown = line
    if out.isatty():
        out.write("\n")
    if last is None:
        raise ValueError("nothing to show")
    return last


def results_table(results: Mapping[str, Any]) -> str:
    """The traffic results, one figure a line; what was not measured shows as a dash."""
    kpis = results.get("kpis") or {}
    told = [(kpi.label, kpi.text(kpis[kpi.name]) if kpis.get(kpi.name) is not None else "-") for kpi in HEADLINES]
    return "\n".join(f"  {label:<{LABEL_WIDTH}}{figure:>12}" for label, figure in told)
