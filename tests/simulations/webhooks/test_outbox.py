"""From a job's end to its receiver: at least once, signed, with patience, and nobody waits for another."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient
from standardwebhooks import Webhook

from simulations.models import Job, Notice
from simulations.webhooks import outbox
from simulations.webhooks.models import Delivery, Endpoint
from simulations.webhooks.posting import EndpointAnswer
from simulations.webhooks.sender import Sender
from tenants.models import Tenant
from tests.factories import JobFactory
from tests.simulations.webhooks.conftest import Receiver, receiving

pytestmark = pytest.mark.django_db


def end_a_job(tenant: Tenant) -> Job:
    job = JobFactory(tenant=tenant)
    assert job.move_to("FAILED", reason="SUMO_FAILED", message="It failed.")
    return job


def send_all() -> None:
    sender = Sender(threads=2)
    while sender.step() or sender.is_busy:
        pass
    sender.finish()


def test_a_notice_is_written_with_the_end_or_not_at_all(tenant: Tenant) -> None:
    job = JobFactory(tenant=tenant)
    job.move_to("RUNNING", reason="RUNNING", message="It runs.")
    assert Notice.objects.count() == 0
    with transaction.atomic():
        job.move_to("SUCCEEDED", reason="COMPLETED", message="Done.")
        transaction.set_rollback(True)
    assert Notice.objects.count() == 0
    end_a_job(tenant)
    assert Notice.objects.get().kind == "job.failed"


def test_a_jobs_end_arrives_signed(
    api: APIClient, tenant: Tenant, other_tenant: Tenant, receiver: Receiver, loopback_allowed: None
) -> None:
    made = api.post("/webhooks", {"url": receiver.url}, format="json")
    assert made.status_code == 201
    job = end_a_job(tenant)
    end_a_job(other_tenant)
    send_all()
    [(headers, body)] = receiver.got
    said = Webhook(made.json()["secret"]).verify(body, headers)
    assert json.loads(body) == said
    assert (said["type"], said["data"]["job_id"]) == ("job.failed", str(job.pk))
    [told] = api.get(f"/webhooks/{made.json()['endpoint_id']}/deliveries").json()["deliveries"]
    assert (told["state"], told["last_status"], told["message_id"]) == ("DELIVERED", 200, headers["webhook-id"])


def test_a_rotated_secret_and_the_one_before_both_verify(
    api: APIClient, tenant: Tenant, receiver: Receiver, loopback_allowed: None
) -> None:
    made = api.post("/webhooks", {"url": receiver.url}, format="json").json()
    rotated = api.post(f"/webhooks/{made['endpoint_id']}/rotate").json()
    assert rotated["secret"] != made["secret"]
    assert api.post(f"/webhooks/{made['endpoint_id']}/test").status_code == 202
    send_all()
    [(headers, body)] = receiver.got
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(body, headers)


def claimed() -> list[outbox.DueDelivery]:
    return [call for lane in outbox.claim(10) for call in lane.calls]


def one_call(tenant: Tenant) -> tuple[Endpoint, outbox.DueDelivery]:
    endpoint = Endpoint.objects.create(tenant=tenant, url="https://example.org/")
    end_a_job(tenant)
    outbox.address()
    [call] = [each for each in claimed() if b"webhook.disabled" not in each.body]
    return endpoint, call


def test_failures_are_tried_again_later_and_later_then_given_up(tenant: Tenant) -> None:
    _, call = one_call(tenant)
    pauses = []
    for _ in range(len(outbox.SCHEDULE)):
        before = timezone.now()
        outbox.record([(call, EndpointAnswer(500, "The answer was 500."))])
        pauses.append(Delivery.objects.get().next_try_at - before)
        assert claimed() == []
        Delivery.objects.update(next_try_at=timezone.now())
        [call] = claimed()
    assert all(least <= pause for least, pause in zip(outbox.SCHEDULE, pauses, strict=True))
    outbox.record([(call, EndpointAnswer(500, "The answer was 500."))])
    assert Delivery.objects.get().state == "FAILED"


def test_retry_after_is_obeyed(tenant: Tenant) -> None:
    _, call = one_call(tenant)
    outbox.record([(call, EndpointAnswer(503, "The answer was 503.", 7200))])
    assert Delivery.objects.get().next_try_at > timezone.now() + timedelta(hours=1)


def test_a_sender_that_died_leaves_its_calls_to_the_others(tenant: Tenant) -> None:
    _, call = one_call(tenant)
    assert claimed() == []
    Delivery.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    [again] = claimed()
    assert again.message_id == call.message_id
    outbox.record([(call, EndpointAnswer(500, "late"))])  # the lease is another's now
    outbox.record([(again, EndpointAnswer(200))])
    assert (Delivery.objects.get().state, Delivery.objects.get().tries) == ("DELIVERED", 1)


def test_gone_and_five_days_of_failures_disable(tenant: Tenant) -> None:
    endpoint, call = one_call(tenant)
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=6))
    outbox.record([(call, EndpointAnswer(None, "The connection failed."))])
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.disabled_because) == (False, "Nothing could be delivered for 5 days.")
    _, call = one_call(tenant)
    outbox.record([(call, EndpointAnswer(410, "The answer was 410."))])
    assert Endpoint.objects.filter(is_active=False).count() == 2


def test_a_webhook_that_two_calls_find_gone_is_told_of_once(tenant: Tenant) -> None:
    Endpoint.objects.create(tenant=tenant, url="https://example.org/")
    end_a_job(tenant)
    end_a_job(tenant)
    outbox.address()
    for call in claimed():
        outbox.record([(call, EndpointAnswer(410, "The answer was 410."))])
    assert Notice.objects.filter(kind="webhook.disabled", awaits_mail=True).count() == 1


def test_of_an_endpoint_two_calls_are_under_way_and_the_others_have_their_turn(tenant, other_tenant) -> None:
    for each in (tenant, other_tenant):
        Endpoint.objects.create(tenant=each, url=f"https://{each.pk}.example/")
    for _ in range(5):
        end_a_job(tenant)
    end_a_job(other_tenant)
    outbox.address()
    lanes = [[call.url.split("/")[2] for call in lane.calls] for lane in outbox.claim(10)]
    assert sorted(lanes) == [["city-a.example"] * 2, ["city-a.example"] * 3, ["city-b.example"]]
    end_a_job(tenant)
    outbox.address()
    assert claimed() == []


def test_receivers_that_fail_leave_room_for_the_others(tenant, other_tenant) -> None:
    for number in range(3):
        Endpoint.objects.create(tenant=tenant, url=f"https://{number}.example/", failing_since=timezone.now())
    Endpoint.objects.create(tenant=other_tenant, url="https://well.example/")
    for each in (tenant, other_tenant):
        end_a_job(each)
    outbox.address()
    assert sorted(lane.is_to_failing for lane in outbox.claim(4, 2)) == [False, True, True]
    end_a_job(other_tenant)
    outbox.address()
    outbox.give_back(call for lane in outbox.claim(4, 0) for call in lane.calls)
    [lane] = outbox.claim(4, 0)
    assert [call.url for call in lane.calls] == ["https://well.example/"]


def test_what_many_calls_cost_the_database(tenant: Tenant, django_assert_max_num_queries) -> None:
    for number in range(4):
        Endpoint.objects.create(tenant=tenant, url=f"https://{number}.example/")
    for _ in range(2):
        end_a_job(tenant)
    with django_assert_max_num_queries(6):  # savepoints among them
        outbox.address()
    with django_assert_max_num_queries(8):
        calls = claimed()
    assert len(calls) == 8
    with django_assert_max_num_queries(5):
        outbox.record([(call, EndpointAnswer(204)) for call in calls])
    assert Delivery.objects.filter(state="DELIVERED", last_status=204, tries=1, leased_until=None).count() == 8


def test_a_slow_receiver_delays_no_other(
    tenant: Tenant, other_tenant: Tenant, receiver: Receiver, loopback_allowed: None
) -> None:
    with receiving() as slow:
        slow.holds.clear()
        for each, url in ((tenant, slow.url), (other_tenant, receiver.url)):
            Endpoint.objects.create(tenant=each, url=url)
            for _ in range(4):
                end_a_job(each)
        sender = Sender(threads=4)
        while len(receiver.got) < 4 or len(slow.got) < 2:
            sender.step(0.05)
        assert Delivery.objects.filter(endpoint__tenant=tenant, state="DELIVERED").count() == 0
        assert len(slow.got) == 2  # no more of one endpoint at a time
        slow.holds.set()
        while sender.step(0.05) or sender.is_busy:
            pass
        sender.finish()
    assert not Delivery.objects.exclude(state="DELIVERED").exists()
    assert len(slow.got) == 4


def test_being_made_active_twice_is_the_same_as_once(api: APIClient, tenant: Tenant) -> None:
    endpoint, call = one_call(tenant)
    outbox.record([(call, EndpointAnswer(410, "The answer was 410."))])
    end_a_job(tenant)
    for _ in range(2):
        assert api.patch(f"/webhooks/{endpoint.pk}", {"active": True}, format="json").json()["active"]
    outbox.address()
    told = [call.message_id for call in claimed()]
    assert len(told) == len(set(told)) == 2  # what came meanwhile, and that it was stopped
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.disabled_because) == (None, "")


def test_replay_and_forgetting(api: APIClient, tenant: Tenant, settings) -> None:
    end_a_job(tenant)
    outbox.address()
    endpoint = Endpoint.objects.create(tenant=tenant, url="https://example.org/")
    since = (timezone.now() - timedelta(hours=1)).isoformat().replace("+00:00", "Z")
    for _ in range(2):
        answer = api.post(f"/webhooks/{endpoint.pk}/replay", {"since": since}, format="json")
        assert answer.status_code == 202
    assert Delivery.objects.count() == 1
    Notice.objects.update(at=timezone.now() - timedelta(days=31))
    assert (outbox.forget(), Delivery.objects.count()) == (1, 0)


def test_another_tenants_webhook_is_not_there_and_there_are_not_too_many(
    api: APIClient, other_api: APIClient, settings
) -> None:
    settings.WEBHOOKS_PER_TENANT = 1
    made = api.post("/webhooks", {"url": "https://example.org/", "events": ["job.failed"]}, format="json").json()
    here = f"/webhooks/{made['endpoint_id']}"
    assert api.post("/webhooks", {"url": "https://example.org/"}, format="json").status_code == 409
    assert api.post("/webhooks", {"url": "https://10.0.0.1/"}, format="json").status_code in (400, 422)
    assert {other_api.get(here).status_code, other_api.delete(here).status_code} == {404}
    assert "secret" not in api.get(here).json()
    assert api.patch(here, {"active": False}, format="json").json()["active"] is False
    assert api.post(f"{here}/test").status_code == 409
    assert api.delete(here).status_code == 204
