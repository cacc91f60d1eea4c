"""Operators are told what needs them: one digest when that has changed, never one per job."""

import json
from typing import Any

from django.conf import settings

from clusterops.attention import look
from clusterops.policy.attention import Finding
from clusterops.reconciler.pass_state import Memory, Pass, log
from simulations.sumo.protocol.endings import Fault
from simulations.webhooks.posting import post

EVERY_S = 600  # what comes and goes within it is not told
TENANTS = 5  # named


def tell(this_pass: Pass) -> None:
    """If OPERATORS_WEBHOOK is set and the operator's causes are others than last told; beside the passes. What was not
    delivered is tried again at the next turn."""
    memory = this_pass.memory
    if not settings.OPERATORS_WEBHOOK or not memory.due("operators' digest", EVERY_S):
        return
    found = [each for each in look().findings if each.cause.who is Fault.OPERATOR]
    causes = {each.cause.code for each in found}
    if causes != memory.told:
        memory.told = causes
        memory.log_pool.submit(_send, memory, json.dumps(digest(found)).encode())


def digest(found: list[Finding]) -> dict[str, Any]:
    """`text` is what chat services show; the rest is for programs."""
    lines = [f"{each.cause.title}: {each.count}. {each.cause.todo}" for each in found]
    causes = "1 cause needs" if len(found) == 1 else f"{len(found)} causes need"
    return {
        "text": "\n".join(
            [f"SUMO-K8: {causes} you. See /cluster/." if found else "SUMO-K8: nothing needs you.", *lines]
        ),
        "findings": [
            {
                "cause": each.cause.code,
                "severity": each.severity,
                "count": each.count,
                "since": each.since.isoformat() if each.since else None,
                "tenants": [share.tenant_id for share in each.tenants[:TENANTS]],
            }
            for each in found
        ],
    }


def _send(memory: Memory, body: bytes) -> None:
    answer = post(settings.OPERATORS_WEBHOOK, body, {"Content-Type": "application/json"})
    if not answer.is_delivered:
        memory.told = None
        log.warning("the operators' digest was not delivered: %s", answer.problem or answer.status)
