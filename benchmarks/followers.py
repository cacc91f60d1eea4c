"""What fifty followers of one log cost everybody else: GET /jobs/{id}, the web as deployed, a pod that talks."""

import http.client
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.cluster import local_cluster, submit, until
from benchmarks.stack import ROOT, product
from benchmarks.submission import figures, load

FOLLOWERS = 50
ROUNDS, SECONDS, CLIENTS = 5, 2.0, 8


class Follower:
    """Reads a followed log as it comes and counts its bytes."""

    def __init__(self, url: str, path: str, headers: dict[str, str]) -> None:
        self.bytes = 0
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
        self._connection.request("GET", path, headers=headers)
        self._answer = self._connection.getresponse()
        if self._answer.status != 200:
            raise RuntimeError(f"a follower was answered {self._answer.status}")
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while part := self._answer.read1(65536):
            self.bytes += len(part)

    def join(self) -> None:
        self._thread.join()
        self._connection.close()


def measure(folder: Path, key: str) -> list[dict[str, Any]]:
    """Rows without and with followers, in turns, each with new ones."""
    from simulations.models import Job

    headers = {"Authorization": f"Bearer {key}"}
    with local_cluster(folder, "talking_pod.sh") as shared, product() as url:
        reconciler = subprocess.Popen([sys.executable, "manage.py", "reconcile_jobs"], cwd=ROOT, env=dict(os.environ))
        taken: dict[int, list[float]] = {0: [], FOLLOWERS: []}
        read = []
        for _ in range(ROUNDS):
            (job,) = submit(1)
            until(lambda job=job: Job.objects.get(pk=job.pk).status == "RUNNING")
            for number, latencies in taken.items():
                followers = [Follower(url, f"/jobs/{job.pk}/logs?follow=1", headers) for _ in range(number)]
                latencies += load(url, headers, CLIENTS, SECONDS, ("GET", f"/jobs/{job.pk}", "", 200))
            (shared / "enough").touch()
            for follower in followers:
                follower.join()
            read += [follower.bytes for follower in followers]
            (shared / "enough").unlink()
        reconciler.terminate()
        reconciler.wait()
    rows = [{"followers": number, **figures(each, ROUNDS * SECONDS)} for number, each in taken.items()]
    return [row | {"read kB": sum(read) / len(read) / 1000 if row["followers"] else 0.0} for row in rows]
