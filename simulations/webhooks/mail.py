"""What a tenant's people should know is mailed to its contact address, or to its owners where it has none: the first at
once, what follows soon in one message. By any number of processes: whoever takes a mailbox lets it rest, and whoever
dies lets the rest run out."""

import logging
import threading
import time
from collections.abc import Iterable
from datetime import date, timedelta
from smtplib import SMTPException
from typing import Any

import psycopg
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from simulations.models import Notice
from simulations.webhooks.models import Endpoint, Mailbox
from tenants.accounts import letters
from tenants.members import Member, Role
from tenants.models import Tenant

log = logging.getLogger("simulations.webhooks")

LOOK_EVERY_S = 30.0
LETTERS_EVERY_S = 5.0  # somebody waits for them
RESTS = timedelta(minutes=15)  # between two messages to one address, and before one that failed is tried again
FORGOTTEN_AFTER = timedelta(days=2)  # nobody wants to be told then, as when mail was set up only now
WHY = "You are told since this is the tenant's contact address; its operator can change it."
WHY_OWNERS = "You are told since you own the tenant, which has no contact address; its operator can give it one."
OWNERS = 20  # written to
IN_ONE = 50  # notices
BATCH = 100  # mailboxes in one step


def run(stop: threading.Event) -> None:
    """Until told to stop."""
    looks_at = time.monotonic() + LOOK_EVERY_S
    while not stop.wait(LETTERS_EVERY_S):
        try:
            close_old_connections()
            letters.send_due()
            if time.monotonic() >= looks_at:
                looks_at = time.monotonic() + LOOK_EVERY_S
                step()
        except (DatabaseError, psycopg.Error) as error:
            log.warning("mail waits: the database does not answer: %s", error)
        except Exception:
            log.exception("mail waits, which is our fault")


def step() -> int:
    """Write to each address that something waits for; how many messages were sent."""
    if not settings.EMAIL_URL:
        return 0
    now = timezone.now()
    waiting = Tenant.objects.filter(
        Q(contact_email__gt="") | Exists(_owners().filter(tenant=OuterRef("pk"))),
        Q(mailbox=None) | Q(mailbox__rests_until__lte=now),  # those that rest take no place from the others
        notices__awaits_mail=True,
        notices__at__gt=now - FORGOTTEN_AFTER,
    )
    sent = 0
    for tenant in waiting.distinct().order_by("tenant_id")[:BATCH]:
        if notices := _claim(tenant):
            try:
                message = _message(tenant, notices)
                if not connection.in_atomic_block:
                    connection.close()  # none is held while the mail server is spoken to
                message.send()
            except (SMTPException, OSError) as error:
                log.warning("mail to tenant %s was not taken: %s", tenant.pk, error)
                continue
            except (DatabaseError, psycopg.Error):
                raise
            except Exception:  # one tenant's, whatever it is, keeps no other's back
                log.exception("mail to tenant %s cannot be written, which is our fault", tenant.pk)
                continue
            Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(awaits_mail=False)
            sent += 1
    return sent


@transaction.atomic
def _claim(tenant: Tenant) -> list[Notice]:
    """What to write, if its mailbox does not rest; it does from now on."""
    Mailbox.objects.get_or_create(tenant=tenant)
    now = timezone.now()
    free = Mailbox.objects.select_for_update(skip_locked=True).filter(tenant=tenant, rests_until__lte=now).first()
    if free is None:
        return []
    found = Notice.objects.filter(tenant=tenant, awaits_mail=True, at__gt=now - FORGOTTEN_AFTER).order_by("at")[:IN_ONE]
    Mailbox.objects.filter(pk=free.pk).update(rests_until=now + RESTS)
    return list(found)


def _owners() -> QuerySet[Member]:
    return Member.objects.filter(role=Role.OWNER, user__is_active=True, user__email__gt="")


def _message(tenant: Tenant, notices: Iterable[Notice]) -> EmailMessage:
    lines = [sentence(notice) for notice in notices]
    owners = _owners().filter(tenant=tenant).order_by("pk").values_list("user__email", flat=True)[:OWNERS]
    to = [tenant.contact_email] if tenant.contact_email else sorted(set(owners))
    subject = f"SUMO-K8, tenant {tenant.pk}: {lines[0]}"[:150] if len(lines) == 1 else ""
    return EmailMessage(
        subject=subject or f"SUMO-K8, tenant {tenant.pk}: {len(lines)} messages",
        body="\n\n".join([*lines, WHY if tenant.contact_email else WHY_OWNERS]),
        to=to,
        headers={"Auto-Submitted": "auto-generated"},
    )


def sentence(notice: Notice) -> str:
    """One line."""
    data = notice.data
    if notice.kind == Notice.Kind.BUDGET_REACHED:
        unit = data.get("currency", "CPU-hours")
        after = {"hold": " Jobs beyond it wait.", "refuse": " Jobs beyond it wait, and new ones are refused."}
        said = f"{data['used']} of {data['limit']} {unit} of the budget of {data['period']} are used"
        reached = (
            "and the next job may need more than the rest" if data["jobs_wait"] else f"{data['percent']} % reached"
        )
        return f"{said}, {reached}.{after.get(data['on_reach'], '')}"
    if notice.kind == Notice.Kind.KEY_EXPIRING:
        named = f" ({data['label']})" if data["label"] else ""
        return f"The API key {data['prefix']}…{named} expires on {data['expires_at'][:16]} UTC: ask for its successor."
    if notice.kind == Notice.Kind.USAGE_WEEKLY:
        return _week(data)
    url = Endpoint.objects.filter(pk=data["endpoint_id"]).values_list("url", flat=True).first()
    return f"The webhook {url or data['endpoint_id']} is called no more: {data['because']}"


def _week(data: dict[str, Any]) -> str:
    last = date.fromisoformat(data["to"]) - timedelta(days=1)
    reasons = ", ".join(f"{reason} {count}" for reason, count in data["reasons"].items())
    failed = f"{data['failed']} of them failed ({reasons})" if data["failed"] else "none of them failed"
    spent = f" {data['month']} so far: {data['amount']} {data['currency']}." if float(data["amount"]) else ""
    hours = f"{float(data['cpu_hours']):.1f} CPU-hours and {float(data['gib_hours']):.1f} GiB-hours"
    runs = "1 run" if data["runs"] == 1 else f"{data['runs']} runs"
    return f"From {data['from']} to {last} {runs} ended, {failed}; they took {hours}.{spent}"
