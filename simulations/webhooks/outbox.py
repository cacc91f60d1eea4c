"""From the outbox to the receivers, step by step; each may be repeated, by any number of senders at once.

No transaction is open while a receiver is called: a lease says who is at it, and whoever dies lets it run out.
"""

import json
import random
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from simulations.models import Notice
from simulations.webhooks import signatures
from simulations.webhooks.models import Delivery, Endpoint
from simulations.webhooks.posting import EndpointAnswer, post

# After each failed try, by the Standard Webhooks specification; about three days in all.
SCHEDULE = [timedelta(seconds=each) for each in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)]
JITTER = 0.2
LEASE = timedelta(seconds=120)  # longer than a lane lasts, its last name resolved and answer waited for
AT_ONCE = 2  # calls of one endpoint
IN_LANE = 20  # one after another, before it is another endpoint's turn
BATCH = 500
MAX_REPLAYED = 5000  # by one request
DISABLED_AFTER = timedelta(days=5)  # of nothing but failures
GONE = 410


@dataclass(frozen=True)
class DueDelivery:
    """A delivery that is ours until `leased_until`, and all that is needed to make it."""

    delivery_id: int
    endpoint_id: uuid.UUID
    leased_until: datetime
    url: str
    secrets: tuple[str, ...]
    message_id: str
    body: bytes

    def make(self) -> EndpointAnswer:
        """Sign as of now and send. Touches no database."""
        return post(self.url, self.body, signatures.headers(self.secrets, self.message_id, int(time.time()), self.body))


@dataclass(frozen=True, eq=False)
class Lane:
    """What one thread sends to an endpoint, one after another. The end of its leases is no other lane's of it."""

    calls: tuple[DueDelivery, ...]
    is_to_failing: bool


@transaction.atomic
def address() -> int:
    """Make the deliveries of new notices, BATCH at most; returns how many notices were looked at."""
    fresh = Notice.objects.filter(is_addressed=False).order_by("at").select_for_update(skip_locked=True)
    notices = list(fresh[:BATCH])
    if not notices:
        return 0
    wanted: dict[str, list[Endpoint]] = {}
    for endpoint in Endpoint.objects.filter(tenant__in={notice.tenant_id for notice in notices}, is_active=True):
        wanted.setdefault(endpoint.tenant_id, []).append(endpoint)
    Delivery.objects.bulk_create(
        [
            Delivery(endpoint=endpoint, notice=notice)
            for notice in notices
            for endpoint in wanted.get(notice.tenant_id, ())
            if not endpoint.events or notice.kind in endpoint.events
        ],
        ignore_conflicts=True,
    )
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(is_addressed=True)
    return len(notices)


@transaction.atomic
def claim(most: int, most_failing: int | None = None) -> list[Lane]:
    """Lease deliveries that are due, in up to `most` lanes, the endpoints in turn; of each, AT_ONCE are under way at a
    time. To endpoints that fail at present lead `most_failing` at most. Few statements, however many there are."""
    now = timezone.now()
    for_failing = most if most_failing is None else most_failing
    pending = Delivery.objects.filter(state="PENDING")
    due = pending.filter(Q(leased_until=None) | Q(leased_until__lt=now), next_try_at__lte=now)
    turn = Endpoint.objects.filter(Exists(due.filter(endpoint=OuterRef("pk"))), is_active=True)
    if for_failing <= 0:
        turn = turn.filter(failing_since=None)
    # Whoever has an endpoint's row locked decides about its deliveries, and sees them in a statement that begins then.
    locked = turn.order_by(F("served_at").asc(nulls_first=True)).select_for_update(skip_locked=True)
    chosen = list(locked.values_list("pk", flat=True)[:most])
    if not chosen:
        return []
    own = {"endpoint": OuterRef("pk")}
    leases = pending.filter(leased_until__gte=now, **own).order_by().values("leased_until").distinct()
    endpoints = Endpoint.objects.annotate(
        lanes=ArraySubquery(leases[:AT_ONCE]),
        waiting=ArraySubquery(due.filter(**own).order_by("next_try_at", "id").values("pk")[: AT_ONCE * IN_LANE]),
    ).in_bulk(chosen)
    groups: list[tuple[Endpoint, datetime, list[int]]] = []
    for endpoint in (endpoints[pk] for pk in chosen):
        room = min(AT_ONCE - len(endpoint.lanes), len(endpoint.waiting), most - len(groups))
        if endpoint.failing_since:
            room = max(0, min(room, for_failing))
            for_failing -= room
        for number in range(room):
            until = now + LEASE + number * timedelta.resolution
            groups.append((endpoint, until, endpoint.waiting[number::room][:IN_LANE]))
    Endpoint.objects.filter(pk__in=chosen).update(served_at=now)
    return _leased(groups)


def _leased(groups: list[tuple[Endpoint, datetime, list[int]]]) -> list[Lane]:
    """Endpoint, end of the lease, deliveries: noted, and with all that is needed to make them."""
    by_lease: dict[datetime, list[int]] = {}
    for _, until, ids in groups:
        by_lease.setdefault(until, []).extend(ids)
    for until, ids in by_lease.items():
        Delivery.objects.filter(pk__in=ids).update(leased_until=until)
    wanted = [pk for _, _, ids in groups for pk in ids]
    rows = Delivery.objects.select_related("notice").in_bulk(wanted) if wanted else {}
    return [
        Lane(tuple(_call(endpoint, rows[pk], until) for pk in ids), endpoint.failing_since is not None)
        for endpoint, until, ids in groups
    ]


def _call(endpoint: Endpoint, delivery: Delivery, leased_until: datetime) -> DueDelivery:
    notice = delivery.notice
    said = {"type": notice.kind, "timestamp": notice.at.isoformat(), "data": notice.data}
    return DueDelivery(
        delivery.pk,
        endpoint.pk,
        leased_until,
        endpoint.url,
        tuple(endpoint.secrets),
        f"msg_{notice.pk.hex}",
        json.dumps(said, separators=(",", ":")).encode(),
    )


def give_back(calls: Iterable[DueDelivery]) -> None:
    """What was leased and not tried: another turn of the endpoint takes it."""
    by_lease: dict[datetime, list[int]] = {}
    for call in calls:
        by_lease.setdefault(call.leased_until, []).append(call.delivery_id)
    for until, ids in by_lease.items():
        Delivery.objects.filter(pk__in=ids, leased_until=until).update(leased_until=None)


@transaction.atomic
def record(ended: Iterable[tuple[DueDelivery, EndpointAnswer]]) -> None:
    """Note what came of them, but for those whose lease ran out and which another sender has now."""
    now = timezone.now()
    delivered: dict[tuple[datetime, int | None], list[DueDelivery]] = {}
    failed: dict[int, tuple[DueDelivery, EndpointAnswer]] = {}
    for call, answer in ended:
        if answer.is_delivered:
            delivered.setdefault((call.leased_until, answer.status), []).append(call)
        else:
            failed[call.delivery_id] = call, answer
    # Endpoints before deliveries, as `claim` has it.
    well = {call.endpoint_id for calls in delivered.values() for call in calls}
    recovered = Endpoint.objects.filter(pk__in=well, failing_since__isnull=False).order_by("pk").select_for_update()
    Endpoint.objects.filter(pk__in=[each.pk for each in recovered]).update(failing_since=None)
    _note_failed(failed, now)
    for (leased_until, status), calls in delivered.items():
        ours = Delivery.objects.filter(pk__in=[call.delivery_id for call in calls], leased_until=leased_until)
        ours.filter(state="PENDING").update(
            state=Delivery.State.DELIVERED,
            tries=F("tries") + 1,
            leased_until=None,
            last_tried_at=now,
            last_status=status,
            last_problem="",
        )


def _note_failed(failed: Mapping[int, tuple[DueDelivery, EndpointAnswer]], now: datetime) -> None:
    if not failed:
        return
    touched = {call.endpoint_id for call, _ in failed.values()}
    endpoints = {each.pk: each for each in Endpoint.objects.filter(pk__in=touched).order_by("pk").select_for_update()}
    for delivery in Delivery.objects.filter(pk__in=failed, state="PENDING").order_by("pk").select_for_update():
        call, answer = failed[delivery.pk]
        if delivery.leased_until != call.leased_until:
            continue
        delivery.tries += 1
        delivery.leased_until, delivery.last_tried_at = None, now
        delivery.last_status, delivery.last_problem = answer.status, answer.problem
        _put_off(delivery, answer, now)
        _judge(endpoints[delivery.endpoint_id], answer, now)
        delivery.save()


def _put_off(delivery: Delivery, answer: EndpointAnswer, now: datetime) -> None:
    if answer.status == GONE or delivery.tries > len(SCHEDULE):
        delivery.state = Delivery.State.FAILED
        return
    pause = SCHEDULE[delivery.tries - 1] * random.uniform(1, 1 + JITTER)
    delivery.next_try_at = now + max(pause, timedelta(seconds=answer.retry_after_s or 0))


def _judge(endpoint: Endpoint, answer: EndpointAnswer, now: datetime) -> None:
    if not endpoint.is_active:  # another call that was under way has told so
        return
    if answer.status == GONE:
        endpoint.disable("It answered 410: it is gone.")
    elif endpoint.failing_since is None:
        endpoint.failing_since = now
        endpoint.save(update_fields=["failing_since"])
    elif now - endpoint.failing_since > DISABLED_AFTER:
        endpoint.disable(f"Nothing could be delivered for {DISABLED_AFTER.days} days.")


def replay(endpoint: Endpoint, since: datetime, most: int) -> int:
    """Tell the endpoint again of all that it wants since then, the oldest first; returns of how much, `most` at most.

    What is under way or waits already is left as it is.
    """
    notices = Notice.objects.filter(tenant=endpoint.tenant_id, at__gte=since).exclude(kind=Notice.Kind.TEST)
    if endpoint.events:
        notices = notices.filter(kind__in=endpoint.events)
    waiting = Delivery.objects.filter(endpoint=endpoint, notice=OuterRef("pk"), state="PENDING")
    chosen = list(notices.filter(~Exists(waiting)).order_by("at").values_list("pk", flat=True)[:most])
    now = timezone.now()
    with transaction.atomic():
        again = Delivery.objects.filter(endpoint=endpoint, notice__in=chosen).exclude(state="PENDING")
        again.update(state="PENDING", tries=0, next_try_at=now, leased_until=None)
        Delivery.objects.bulk_create(
            [Delivery(endpoint=endpoint, notice_id=pk) for pk in chosen], ignore_conflicts=True, batch_size=BATCH
        )
    return len(chosen)


def forget() -> int:
    """Delete BATCH of the notices that are too old to be told again, with their deliveries; returns how many."""
    before = timezone.now() - timedelta(days=settings.NOTICE_RETENTION_DAYS)
    old = list(Notice.objects.filter(at__lt=before).order_by("at").values_list("pk", flat=True)[:BATCH])
    Notice.objects.filter(pk__in=old).delete()
    return len(old)
