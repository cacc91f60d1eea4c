"""Pod logs: the options and refusals of the API server over the files that the shims write."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from localcluster import nodes, podstatus
from localcluster.api import ApiCall
from localcluster.config import LocalClusterConfig
from localcluster.errors import StatusError, bad_request
from localcluster.resources import PODS
from localcluster.store import Store, Stored, seconds

_BLOCK = 65536
_FOLLOW_S = 0.1
_WAITS = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


class Logs:
    def __init__(self, store: Store, config: LocalClusterConfig) -> None:
        self.store, self.config = store, config

    def open(self, call: ApiCall) -> Path | str | None:
        """The log's file; or a text to answer; or None if the pod is on no node yet. Raises the API's refusals."""
        pod = self.store.get(PODS, call.namespace, call.name)
        container = pod.obj["spec"]["containers"][0]["name"]
        if call.query.get("container", container) != container:
            raise bad_request(f"container {call.query['container']} is not valid for pod {call.name}")
        node = pod.obj["spec"].get("nodeName")
        if not node:
            return None
        if call.query.get("previous") == "true":
            text = f'previous terminated container "{container}" in pod "{call.name}" not found'
            raise bad_request(text)
        self._refuse_waiting(pod, container)
        if not nodes.heartbeat(self.config, node).exists():
            path = f"containerLogs/{call.namespace}/{call.name}/{container}"
            text = f'Get "https://127.0.0.1:10250/{path}": dial tcp 127.0.0.1:10250: connect: connection refused'
            raise StatusError(500, "InternalError", text)
        if pod.meta.get("deletionGracePeriodSeconds") == 0:
            return f"unable to retrieve container logs for {podstatus.container_id(pod.obj)}"
        return self.config.data / "pods" / pod.uid / "log"

    def _refuse_waiting(self, pod: Stored, container: str) -> None:
        statuses = pod.obj["status"].get("containerStatuses", [])
        waiting = statuses[0]["state"].get("waiting") if statuses else {"reason": "ContainerCreating"}
        if waiting and not podstatus.is_terminal(pod.obj):
            why = _WAITS.get(waiting["reason"], waiting["reason"])
            raise bad_request(f'container "{container}" in pod "{pod.key[1]}" is waiting to start: {why}')

    def still_written(self, call: ApiCall) -> Callable[[], bool]:
        uid = self.store.get(PODS, call.namespace, call.name).uid

        def running() -> bool:
            pod = self.store.find(PODS, (call.namespace, call.name))
            return pod is not None and pod.uid == uid and not podstatus.is_terminal(pod.obj)

        return running


async def stream(path: Path, query: dict[str, str], still_written: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Pieces of log text as the client asked: tail, since, timestamps, limit, follow."""
    since = _since(query)
    stamps = query.get("timestamps") == "true"
    left = int(query["limitBytes"]) if query.get("limitBytes") else None
    lines = int(query["tailLines"]) if query.get("tailLines") else None
    with path.open("rb") as file:
        file.seek(_tail_offset(file.fileno(), lines) if lines is not None else 0)
        rest = b""
        while True:
            ended = not still_written()
            data = file.read(_BLOCK)
            *whole, rest = (rest + data).split(b"\n")
            text = b"".join(_show(line, since, stamps) for line in whole)
            if left is not None:
                text, left = text[:left], left - len(text[:left])
            if text:
                yield text
            if left == 0:
                return
            if data:
                continue
            if ended or query.get("follow") != "true":
                return
            if _rotated(path, file.fileno()):
                return
            await asyncio.sleep(_FOLLOW_S)


def _since(query: dict[str, str]) -> float:
    if query.get("sinceTime"):
        return seconds(query["sinceTime"])
    return time.time() - float(query["sinceSeconds"]) if query.get("sinceSeconds") else 0.0


def _show(line: bytes, since: float, stamps: bool) -> bytes:
    """`TIME stdout F TEXT` as the client sees it; a part (`P`) is followed by its rest without a line break."""
    stamp, _, rest = line.partition(b" ")
    _, _, rest = rest.partition(b" ")
    flag, _, text = rest.partition(b" ")
    if since and seconds(stamp[:26].decode() + "Z") < since:
        return b""
    end = b"" if flag == b"P" else b"\n"
    return (stamp + b" " + text if stamps else text) + end


def _tail_offset(fd: int, lines: int) -> int:
    """Where the last `lines` lines begin, read from the end in blocks."""
    end = os.fstat(fd).st_size
    if lines == 0:
        return end
    position, found = end, 0
    while position > 0:
        size = min(_BLOCK, position)
        position -= size
        block = os.pread(fd, size, position)
        for at in range(size - 1, -1, -1):
            if block[at] == 10 and position + at != end - 1:
                found += 1
                if found >= lines:
                    return position + at + 1
    return 0


def _rotated(path: Path, fd: int) -> bool:
    try:
        return path.stat().st_ino != os.fstat(fd).st_ino
    except FileNotFoundError:
        return True
