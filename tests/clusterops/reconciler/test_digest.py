"""Operators hear of a change once, whatever the number of jobs."""

import json
from typing import Any

import pytest
from django.utils import timezone

from clusterops.models import ReconcilerState
from clusterops.reconciler import digest
from clusterops.reconciler.pass_state import Memory, Pass
from tests.factories import JobFactory
from tests.simulations.webhooks.conftest import Receiver
from tests.simulations.webhooks.conftest import loopback_allowed as loopback_allowed
from tests.simulations.webhooks.conftest import receiver as receiver
from tests.smtp_sink import Sink
from tests.smtp_sink import smtp_sink as smtp_sink

pytestmark = pytest.mark.django_db


def turn(memory: Memory) -> None:
    """The next one is due, and what it sends has been sent."""
    memory.done_at.clear()
    digest.tell(Pass(gateway=None, memory=memory, now=timezone.now()))  # type: ignore[arg-type]
    memory.log_pool.submit(int).result(10)


def test_a_change_is_told_once(receiver: Receiver, loopback_allowed: None, settings: Any) -> None:
    memory = Memory()
    memory.log_pool._max_workers = 1  # in turn
    now = timezone.now()
    ReconcilerState.objects.create(pk=1, pass_finished_at=now, last_success_at=now, cluster_reachable=True)
    turn(memory)  # no address, nothing said
    settings.OPERATORS_WEBHOOK = receiver.url
    JobFactory.create_batch(3, status="FAILED", reason="IMAGE_ERROR", finished_at=now)
    receiver.status = 500
    turn(memory)
    receiver.status = 200
    turn(memory)
    turn(memory)
    texts = [json.loads(body) for _, body in receiver.got]
    assert len(texts) == 2  # the first was not taken
    assert texts[0] == texts[1]
    assert texts[1]["findings"][0]["cause"] == "image_error"
    assert texts[1]["findings"][0]["count"] == 3
    assert "1 cause needs you" in texts[1]["text"]
    assert "RUNNER_IMAGE" in texts[1]["text"]


def test_it_comes_by_mail_too(settings: Any, smtp_sink: Sink) -> None:
    memory = Memory()
    memory.log_pool._max_workers = 1
    now = timezone.now()
    ReconcilerState.objects.create(pk=1, pass_finished_at=now, last_success_at=now, cluster_reachable=True)
    JobFactory(status="FAILED", reason="IMAGE_ERROR", finished_at=now)
    settings.OPERATORS_EMAIL, settings.EMAIL_URL = ["ops@example.org"], ""
    turn(memory)  # there is no mail server
    settings.EMAIL_URL, smtp_sink.refusal = f"smtp://127.0.0.1:{smtp_sink.port}", "451 Later."
    turn(memory)
    smtp_sink.refusal = ""
    turn(memory)
    turn(memory)
    [message] = smtp_sink.messages
    assert message["Subject"] == "SUMO-K8: 1 cause needs you. See /cluster/."
    assert smtp_sink.recipients == [["ops@example.org"]]
    assert "RUNNER_IMAGE" in message.get_content()
