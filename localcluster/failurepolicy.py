"""What a finished pod means for its Job: `spec.podFailurePolicy`, first matching rule wins."""

from __future__ import annotations

from typing import Any

from localcluster.store import Stored


def judge(job: dict[str, Any], pod: Stored) -> tuple[str, str]:
    """(Succeeded | Count | Ignore | FailJob, message of the rule that matched)."""
    if pod.obj["status"].get("phase") == "Succeeded":
        return "Succeeded", ""
    for index, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules", [])):
        why = _match_exit_code(rule, pod) or _match_condition(rule, pod)
        if why:
            action = rule["action"]
            return ("Count" if action == "FailIndex" else action), f"{why} matching {action} rule at index {index}"
    return "Count", ""


def _match_exit_code(rule: dict[str, Any], pod: Stored) -> str | None:
    wanted = rule.get("onExitCodes")
    if not wanted:
        return None
    for status in pod.obj["status"].get("containerStatuses", []):
        code = status["state"].get("terminated", {}).get("exitCode", 0)
        if not code or wanted.get("containerName", status["name"]) != status["name"]:
            continue
        if (code in wanted["values"]) is (wanted["operator"] == "In"):
            return f"Container {status['name']} for pod {pod.key[0]}/{pod.key[1]} failed with exit code {code}"
    return None


def _match_condition(rule: dict[str, Any], pod: Stored) -> str | None:
    present = {(c["type"], c["status"]) for c in pod.obj["status"].get("conditions", [])}
    for pattern in rule.get("onPodConditions", []):
        if (pattern["type"], pattern.get("status", "True")) in present:
            return f"Pod {pod.key[0]}/{pod.key[1]} has condition {pattern['type']}"
    return None
