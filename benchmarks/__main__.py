"""`make bench`: every benchmark, a table each, and all figures in bench-results.json.

Nothing is asserted: figures depend on the machine. Each is shown beside a reference measured in the same run.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import stack
from benchmarks.tables import machine, print_table, write_json


def _submission(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import rows, submission

    return submission.measure(rows.fresh_tenant())


def _doorbells(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import doorbells, rows

    return doorbells.measure(rows.fresh_tenant())


def _looks(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import looks, rows

    return looks.measure(rows.fresh_tenant())


def _queries(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import rows, submission

    return submission.measure_queries(rows.fresh_tenant())


def _reconcile(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import reconcile

    return reconcile.measure()


def _dispatch(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import cluster, rows

    rows.fresh_tenant()
    return cluster.dispatch()


def _throughput(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import throughput

    return throughput.measure()


def _crowded(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import throughput

    return throughput.measure_latency()


def _depth(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import depth

    return depth.measure()


def _latency(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import cluster, rows

    rows.fresh_tenant()
    return cluster.latency(folder / "latency")


def _followers(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import followers, rows

    return followers.measure(folder / "followers", rows.fresh_tenant())


def _serving(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import rows, serving

    return serving.measure(folder, rows.fresh_tenant())


def _pages(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import pages, rows

    rows.clear()
    return pages.measure()


def _tenant_pages(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import tenant_pages

    return tenant_pages.measure()


def _page_weights(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import page_weights

    return page_weights.measure()


def _map(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import map_frames

    return map_frames.measure()


def _painting(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import painting

    return painting.measure(folder / "painting")


def _studies(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import studies

    return studies.measure()


def _study_edges(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import studies

    return studies.measure_edges()


def _beside_studies(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import studies

    return studies.measure_waiting()


def _runner(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import runner

    return runner.measure()


def _webhooks(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import webhooks

    return webhooks.measure()


def _limits(folder: Path) -> list[dict[str, Any]]:
    from benchmarks import clocks, rows

    return clocks.measure(rows.fresh_tenant())


PARTS: dict[str, tuple[str, Callable[[Path], list[dict[str, Any]]]]] = {
    "submission": ("Submission: POST /jobs over HTTP", _submission),
    "doorbells": ("Submission beside who listens to it: POST /jobs, 8 clients", _doorbells),
    "looks": ("GET /jobs/{id}: answers, and the web's CPU for each", _looks),
    "queries": ("SQL statements per request", _queries),
    "reconcile": ("Reconcile: one pass, unchanged and with 1 % changed, against one GET per job", _reconcile),
    "dispatch": ("Dispatch: Kubernetes Jobs created per second", _dispatch),
    "throughput": ("Bursts of one-second jobs: created, ended, recorded", _throughput),
    "crowded": ("Submitted to Job exists, beside running jobs with logs", _crowded),
    "depth": ("What a deep queue costs, 200 tenants", _depth),
    "latency": ("Latency, with jobs that do nothing", _latency),
    "followers": ("Fifty followers of one log, and everybody else: GET /jobs/{id}, 8 clients", _followers),
    "serving": ("Serving: what stalled and greedy clients take from others (GET /jobs/{id}), by stack", _serving),
    "pages": ("Pages over 10,000 jobs, 200 tenants and 50 nodes", _pages),
    "painting": ("Staff's pages in Chromium where nothing happens, and what polling carries", _painting),
    "tenant-pages": ("Pages of a tenant with 10,000 jobs and 50 studies", _tenant_pages),
    "page-weights": ("Every page in Chromium: first paint and bytes, with an empty cache and again", _page_weights),
    "map": ("The map in Chromium: first paint after the data, frames while one moves", _map),
    "studies": ("Studies: submission, statistics, answers and exports by size", _studies),
    "study-edges": ("Studies: traffic per edge of one run more, and the test of all edges", _study_edges),
    "beside-studies": ("Single jobs, submitted to Job exists, beside a study", _beside_studies),
    "webhooks": ("Webhooks: an outbox is drained, beside a receiver that never answers", _webhooks),
    "clocks": ("Rate limit: two webs whose clocks are a minute apart, against the limit", _limits),
    "runner": ("Runner overhead on the sample scenario", _runner),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which of {', '.join(PARTS)} (all)")
    parser.add_argument("--json", type=Path, default=Path("bench-results.json"))
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    print(f"machine: {machine()}")
    results: dict[str, Any] = {}
    with stack.database() as folder:
        import django

        django.setup()
        for part in options.parts or PARTS:
            title, measure = PARTS[part]
            results[part] = measure(folder)
            print_table(title, results[part])
    write_json(options.json, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
