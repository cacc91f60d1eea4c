"""Operators are told what needs them: one digest when that has changed, never one per job."""

import json
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from clusterops.attention import look
from clusterops.policy.attention import Finding
from clusterops.reconciler.pass_state import Memory, Pass, log
from simulations.sumo.protocol.endings import Fault
from simulations.webhooks.posting import post

EVERY_S = 600  # what comes and goes within it is not told
TENANTS = 5  # named
WEBHOOK, MAIL = "webhook", "mail"


def tell(this_pass: Pass) -> None:
    """By each way that is set up, if the operator's causes are others than last told by it; beside the passes. What
    was not delivered is tried again at the next turn."""
    memory = this_pass.memory
    ways = [way for way, is_set in ((WEBHOOK, settings.OPERATORS_WEBHOOK), (MAIL, _mail_is_set())) if is_set]
    if not ways or not memory.due("operators' digest", EVERY_S):
        return
    found = [each for each in look().findings if each.cause.who is Fault.OPERATOR]
    causes = {each.cause.code for each in found}
    for way in ways:
        if causes != memory.told.get(way):
            memory.told[way] = causes
            memory.log_pool.submit(_send, memory, way, digest(found))


def _mail_is_set() -> bool:
    return bool(settings.OPERATORS_EMAIL and settings.EMAIL_URL)


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


def _send(memory: Memory, way: str, told: dict[str, Any]) -> None:
    problem = _post(told) if way == WEBHOOK else _mail(told)
    if problem:
        memory.told.pop(way, None)
        log.warning("the operators' digest was not delivered by %s: %s", way, problem)


def _post(told: dict[str, Any]) -> str:
    answer = post(settings.OPERATORS_WEBHOOK, json.dumps(told).encode(), {"Content-Type": "application/json"})
    return "" if answer.is_delivered else answer.problem or f"HTTP {answer.status}"


def _mail(told: dict[str, Any]) -> str:
    lines = told["text"].splitlines()
    message = EmailMessage(
        subject=lines[0],
        body="\n\n".join(lines),
        to=settings.OPERATORS_EMAIL,
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except (SMTPException, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
