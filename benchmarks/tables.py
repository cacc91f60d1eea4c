"""Figures as a table for people and JSON for machines."""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile of `values`, `share` between 0 and 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """`rows` share their keys, which become the head."""
    print(f"\n{title}")
    names = list(rows[0])
    cells = [names, *[[_text(row[name]) for name in names] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        print("  " + "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _text(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def machine() -> dict[str, Any]:
    return {"python": platform.python_version(), "cpus": os.cpu_count(), "load": os.getloadavg()[0]}


def write_json(path: Path, results: dict[str, Any]) -> None:
    path.write_text(json.dumps({"machine": machine(), **results}, indent=1, default=str) + "\n")
