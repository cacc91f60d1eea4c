"""`make bench`: every benchmark, a table each, and all figures in bench-results.json.

Nothing is asserted: figures depend on the machine. Each is shown beside a reference measured in the same run.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks import stack
from benchmarks.tables import machine, print_table, write_json

PARTS = ("submission", "reconcile")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)} (all)")
    parser.add_argument("--json", type=Path, default=Path("bench-results.json"))
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(f"machine: {machine()}")
    results: dict[str, Any] = {}
    with stack.database():
        import django

        django.setup()
        for part in options.parts or PARTS:
            results[part] = globals()[f"_{part}"]()
    write_json(options.json, results)
    return 0


def _submission() -> list[dict[str, Any]]:
    from benchmarks import rows, submission

    figures = submission.measure(rows.tenant_with_scenario())
    print_table("Submission: POST /jobs", figures)
    return figures


def _reconcile() -> list[dict[str, Any]]:
    from benchmarks import reconcile

    figures = reconcile.measure()
    print_table("Reconcile: one pass, unchanged and with 1 % changed, against one GET per job", figures)
    return figures


if __name__ == "__main__":
    sys.exit(main())
