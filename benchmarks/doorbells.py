"""What the reconciler's listening costs submissions: POST /jobs beside nobody who listens, beside its doorbell, which
answers rings that come together once, and beside one that wakes for each ring."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.stack import ROOT, product

CLIENTS, ROUNDS, SECONDS = 8, 5, 3.0
LISTENERS = {"nobody": None, "doorbell": "0.02", "each ring": "0"}


def measure(key: str) -> list[dict[str, Any]]:
    """A row for each listener, in turns so that all meet the same machine."""
    from benchmarks.rows import forget_jobs
    from benchmarks.submission import figures, load
    from benchmarks.throughput import cpu_s

    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    taken: dict[str, list[float]] = {name: [] for name in LISTENERS}
    used = dict.fromkeys(LISTENERS, 0.0)
    with product() as url:
        load(url, headers, 4, 1.0)  # warm-up
        for _ in range(ROUNDS):
            for name, together_s in LISTENERS.items():
                forget_jobs()
                with _listener(together_s) as pid:
                    before = cpu_s(pid) if pid else 0.0
                    taken[name] += load(url, headers, CLIENTS, SECONDS)
                    used[name] += cpu_s(pid) - before if pid else 0.0
    return [
        {"listens": name, **figures(each, ROUNDS * SECONDS), "its CPU ms each": 1000 * used[name] / len(each)}
        for name, each in taken.items()
    ]


@contextmanager
def _listener(together_s: str | None) -> Iterator[int | None]:
    if together_s is None:
        yield None
        return
    command = [sys.executable, "-m", "benchmarks.doorbells", together_s]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"listening\n"
        yield process.pid
        process.kill()


def _listen(together_s: float) -> None:
    import django

    django.setup()
    from clusterops.reconciler import doorbell

    doorbell.TOGETHER_S = together_s
    bell = doorbell.Doorbell(threading.Event())
    bell.attend(None)
    bell.wait(30)  # it rings once it listens
    print("listening", flush=True)
    while True:
        bell.wait(60)


if __name__ == "__main__":
    _listen(float(sys.argv[1]))
