"""How a container ended: from what its shim wrote down to the `terminated` state of the API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localcluster.containers import PodFolder
from localcluster.store import timestamp

MESSAGE_BYTES, FALLBACK_BYTES, FALLBACK_LINES = 4096, 2048, 80


def api_time(unix: float) -> str:
    return timestamp(datetime.fromtimestamp(unix, UTC))


def terminated_state(pod: dict[str, Any], folder: PodFolder, outcome: dict[str, Any]) -> dict[str, Any]:
    times = {"startedAt": api_time(outcome["started_at"]), "finishedAt": api_time(outcome["finished_at"])}
    if error := outcome.get("start_error"):
        text = (
            f"failed to create containerd task: failed to create shim task: unable to start container process: {error}"
        )
        return {"exitCode": 128, "reason": "StartError", "message": text, **times}
    if outcome.get("lost"):
        text = "The container could not be located when the pod was terminated"
        return {"exitCode": 137, "reason": "ContainerStatusUnknown", "message": text, **times}
    code = outcome["exit_code"]
    reason = "OOMKilled" if outcome.get("oom") else "Error" if code else "Completed"
    state: dict[str, Any] = {"exitCode": code, "reason": reason}
    if message := _message(pod["spec"]["containers"][0], folder, failed=code != 0):
        state["message"] = message
    return state | times


def _message(container: dict[str, Any], folder: PodFolder, *, failed: bool) -> str:
    with folder.termination_log.open("rb") as file:
        message = file.read(MESSAGE_BYTES).decode(errors="replace")
    if message or not failed or container["terminationMessagePolicy"] != "FallbackToLogsOnError":
        return message
    tail = folder.log.read_bytes()[-65536:].splitlines() if folder.log.exists() else []
    text = b"".join(line.split(b" ", 3)[3] + b"\n" for line in tail[-FALLBACK_LINES:] if line.count(b" ") >= 3)
    return text[-FALLBACK_BYTES:].decode(errors="replace")
