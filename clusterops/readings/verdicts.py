"""What watches tell of endings. A Job's verdict and its pod's last words come apart, in either order; together they
are all that an ending needs. Pure but for what it keeps; tested on recordings of a real cluster."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusterops.contract import Run
from clusterops.readings import jobs as readings
from clusterops.readings.values import whole

Json = Mapping[str, Any]

KEPT = 5000  # Jobs of which one half is known, and as many that nobody takes; of the others the lists tell
REMEMBERED = 20_000  # Jobs that were told of: what is said of them later is no news
# A line without one of these is about something that goes on: it is not even parsed.
SIGNS = {"jobs": (b'"Complete"', b'"Failed"'), "pods": (b'"Succeeded"', b'"Failed"')}


@dataclass
class Halves:
    """What is known of a Job's end."""

    job: Json | None = None
    pods: dict[str, Json] = field(default_factory=dict)  # by uid

    @property
    def are_whole(self) -> bool:
        return self.job is not None and bool(self.pods)


class Verdicts:
    """Fed by the threads that watch, emptied by the one that records."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._halves: dict[str, Halves] = {}  # by the Job's uid, the oldest first
        self._whole: list[Halves] = []
        self._told: dict[str, None] = {}

    def heed(self, kind: str, line: bytes) -> bool:
        """Take in a watch's line; whether it completes what is to be known of a run's end."""
        if not any(sign in line for sign in SIGNS[kind]):
            return False
        try:
            event = json.loads(line)
            item = event["object"]
            uid = "" if event["type"] == "DELETED" else _ended_job(item) if kind == "jobs" else _job_of_ended_pod(item)
        except Exception:  # noqa: BLE001 - any shape, any error: the lists tell of it
            return False
        if not uid:
            return False
        with self._lock:
            if uid in self._told:
                return False
            halves = self._halves.pop(uid, None) or Halves()
            if kind == "jobs":
                halves.job = readings.slim_job(item)
            else:
                halves.pods[item["metadata"]["uid"]] = readings.slim_pod(item)
            if halves.are_whole:
                self._whole.append(halves)
                del self._whole[:-KEPT]
                _put(self._told, uid, None, REMEMBERED)
            else:
                _put(self._halves, uid, halves, KEPT)
            return halves.are_whole

    def take(self) -> list[Run]:
        """The runs that were completed since this was asked last. Which of several pods is the one that counted, only
        the lists can tell."""
        with self._lock:
            halves, self._whole = self._whole, []
        found = []
        for each in halves:
            if each.job is not None and len(each.pods) == 1:
                try:
                    found.append(readings.run_of(each.job, list(each.pods.values())))
                except Exception:  # noqa: BLE001, S112 - in a shape never seen: the lists tell of it
                    continue
        return found


def _put(kept: dict[str, Any], key: str, value: Any, most: int) -> None:
    kept[key] = value
    if len(kept) > most:
        del kept[next(iter(kept))]


def _ended_job(job: Json) -> str:
    """The uid of a Job with a verdict, for which one pod of all that it had counted; else nothing."""
    status = job["status"]
    decided = any(each["type"] in readings.VERDICTS and each["status"] == "True" for each in status["conditions"])
    counted = (whole(status.get("succeeded")) or 0) + (whole(status.get("failed")) or 0)
    return str(job["metadata"]["uid"]) if decided and counted == 1 and _stays(job) else ""


def _job_of_ended_pod(pod: Json) -> str:
    """The uid of its Job, if the pod ended by itself."""
    status = pod["status"]
    disrupted = any(
        each["type"] == "DisruptionTarget" and each["status"] == "True" for each in status.get("conditions", ())
    )
    ended = status["phase"] in ("Succeeded", "Failed")
    return readings.owner_uid(pod) if ended and not disrupted and _stays(pod) else ""


def _stays(item: Json) -> bool:
    return "deletionTimestamp" not in item["metadata"]
