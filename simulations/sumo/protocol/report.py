"""What a run tells of its end, and the one reader of it, whichever way it comes.

The short form is the pod's termination message, the long one the manifest among the results. Both were made in a
tenant's pod and are believed no more than any other upload: every field is of the kind that its name promises, or
empty, and has a bound.
"""

import re
from typing import Any, NotRequired, TypedDict

from . import strict_json

VERSION = 1
MAX_MESSAGE_BYTES = 4096  # Kubernetes keeps no more
MAX_MANIFEST_BYTES = 4 * 1024**2
MAX_KPIS = 100
# No run measures more, or less but 0, and statistics square what it measures and divide by it.
MOST, LEAST = 10**15, 1e-100
FIRST_ERRORS = 5
LISTED_PROBLEMS = 100
TEXT_LIMITS = {"code": 64, "message": 2000, "where": 500, "hint": 500}  # characters
REASON_CHARS = 200
VERSION_CHARS = 40

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class ReportedProblem(TypedDict):
    """See `problems.Problem`."""

    code: str
    message: str
    where: NotRequired[str]
    hint: NotRequired[str]


class RunReport(TypedDict):
    """The short form. Times are in seconds, memory in MiB; None where the run does not tell."""

    outcome: str  # a name; a newer runner may know others than `Outcome`
    complete: bool
    uploaded: bool
    reason: str | None  # SUMO's own word for its end
    errors: list[ReportedProblem]
    kpis: dict[str, float | int | None]
    sim_begin: float | None
    sim_end: float | None
    wall_s: float | None
    cpu_s: float | None
    peak_rss_mb: float | None
    sumo_version: str | None
    files: int
    warnings_total: int


class Manifest(TypedDict):
    """The long form: the report, and all problems that it has no room for."""

    report: RunReport
    errors: list[ReportedProblem]
    warnings: list[ReportedProblem]


def read_message(text: str) -> RunReport | None:
    """A termination message; None for what is no report: a log's tail, a message that was cut off, nonsense."""
    try:
        told = strict_json.loads(text, max_length=MAX_MESSAGE_BYTES)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    return _report(told, told, uploaded=told.get("uploaded") is True, files=_count(told.get("files")))


def read_manifest(data: bytes) -> Manifest | None:
    """A manifest; None for what is none. It is uploaded last, so that its being there says that all is uploaded."""
    try:
        told = strict_json.loads(data, max_length=MAX_MANIFEST_BYTES)
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    run, sumo, files = told.get("run"), told.get("sumo"), told.get("files")
    facts = dict(run) if isinstance(run, dict) else {}
    facts["sumo_version"] = sumo.get("version") if isinstance(sumo, dict) else None
    report = _report(told, facts, uploaded=True, files=len(files) if isinstance(files, list) else 0)
    if report is None:
        return None
    errors, warnings = (problems(told.get(name)) for name in ("errors", "warnings"))
    return {"report": report, "errors": errors, "warnings": warnings}


def _report(told: dict[str, Any], facts: dict[str, Any], *, uploaded: bool, files: int) -> RunReport | None:
    """`facts`: where the figures of the run stand. None without an outcome."""
    outcome = told.get("outcome")
    if not isinstance(outcome, str) or not _NAME.fullmatch(outcome):
        return None
    return {
        "outcome": outcome,
        "complete": told.get("complete") is True,
        "uploaded": uploaded,
        "reason": _text(facts.get("reason"), REASON_CHARS),
        "errors": problems(told.get("errors"), FIRST_ERRORS),
        "kpis": figures(told.get("kpis")),
        "sim_begin": _number(facts.get("sim_begin")),
        "sim_end": _number(facts.get("sim_end")),
        "wall_s": _number(facts.get("wall_s")),
        "cpu_s": _number(facts.get("cpu_s")),
        "peak_rss_mb": _number(facts.get("peak_rss_mb")),
        "sumo_version": _text(facts.get("sumo_version"), VERSION_CHARS),
        "files": files,
        "warnings_total": _count(facts.get("warnings_total")),
    }


def figures(value: Any) -> dict[str, float | int | None]:
    """KPIs by name, whatever else `value` may hold."""
    named = [name for name in value if _NAME.fullmatch(name)] if isinstance(value, dict) else []
    return {name: _number(value[name]) for name in named[:MAX_KPIS]}


def problems(value: Any, at_most: int = LISTED_PROBLEMS) -> list[ReportedProblem]:
    """The first of a list of problems, whatever else `value` may hold."""
    entries = value[:at_most] if isinstance(value, list) else []
    return [problem for entry in entries if (problem := _problem(entry))]


def _problem(entry: Any) -> ReportedProblem | None:
    parts = entry if isinstance(entry, dict) else {}
    code, message = (_text(parts.get(name), TEXT_LIMITS[name]) for name in ("code", "message"))
    if not code or message is None:
        return None
    problem: ReportedProblem = {"code": code, "message": message}
    if where := _text(parts.get("where"), TEXT_LIMITS["where"]):
        problem["where"] = where
    if hint := _text(parts.get("hint"), TEXT_LIMITS["hint"]):
        problem["hint"] = hint
    return problem


def _number(value: Any) -> float | int | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or abs(value) > MOST:
        return None
    return value if abs(value) >= LEAST else 0


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST else 0


def _text(value: Any, at_most: int) -> str | None:
    return value[:at_most] if isinstance(value, str) else None
