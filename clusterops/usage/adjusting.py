"""Corrections: a reversal and, if anything is to be charged in its place, a new row, with who and why."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from clusterops.usage.ledger import CREDIT, LedgerEntry, amount_of
from clusterops.usage.posting import Months, lock
from tenants.models import Tenant
from tenants.plans import billing_today


@transaction.atomic
def correct(entry_id: int, *, quantity: int | None, reason: str, actor: str) -> list[LedgerEntry]:
    """Reverse an entry and charge `quantity` at the same price in its place; None or 0: nothing. In the first month
    that is open. Raises ValidationError."""
    _check(reason, actor)
    lock()
    wrong = LedgerEntry.objects.filter(pk=entry_id).first()
    if wrong is None:
        raise ValidationError(f"There is no ledger entry {entry_id}.", code="no_entry")
    if wrong.source.startswith("reversal:"):
        raise ValidationError("A reversal is not reversed: correct what stands in its place.", code="reversal")
    if LedgerEntry.objects.filter(tenant_name=wrong.tenant_name, source=f"reversal:{entry_id}").exists():
        raise ValidationError(f"Entry {entry_id} was reversed before.", code="reversed")
    if quantity and wrong.item == CREDIT:
        raise ValidationError("A credit has no quantity: reverse it, and write another one.", code="credit")
    if quantity is not None and quantity < 0:
        raise ValidationError("A quantity is not below 0.", code="negative")
    amount = None if wrong.amount is None else -wrong.amount
    rows = [_like(wrong, "reversal", -wrong.quantity, amount, reason, actor)]
    if quantity:
        rows.append(
            _like(wrong, "correction", Decimal(quantity), amount_of(wrong.item, quantity, wrong.price), reason, actor)
        )
    return list(LedgerEntry.objects.bulk_create(rows))


@transaction.atomic
def credit(tenant: Tenant, amount: Decimal, *, reason: str, actor: str, key: str) -> LedgerEntry:
    """Charge (or, below 0, give back) an amount; the same `key` again changes nothing. Raises ValidationError."""
    _check(reason, actor)
    lock()
    row = LedgerEntry(
        tenant=tenant, tenant_name=tenant.pk, source=f"credit:{key}", item=CREDIT, quantity=1, price=None, amount=amount
    )
    _finish(row, reason, actor)
    found = LedgerEntry.objects.filter(tenant_name=tenant.pk, source=row.source, item=CREDIT).first()
    if found is None:
        row.save()
    return found or row


def _like(
    wrong: LedgerEntry, kind: str, quantity: Decimal, amount: Decimal | None, reason: str, actor: str
) -> LedgerEntry:
    row = LedgerEntry(
        tenant_id=wrong.tenant_id,
        tenant_name=wrong.tenant_name,
        source=f"{kind}:{wrong.pk}",
        item=wrong.item,
        quantity=quantity,
        price=wrong.price,
        amount=amount,
        job_id=wrong.job_id,
        corrects=wrong,
    )
    _finish(row, reason, actor)
    row.day, row.currency = wrong.day, wrong.currency
    row.period = Months().period(wrong.day)
    return row


def _finish(row: LedgerEntry, reason: str, actor: str) -> None:
    row.reason, row.actor, row.currency = reason[:200], actor[:150], settings.BILLING_CURRENCY
    row.day = billing_today()
    row.period = Months().period(row.day)


def _check(reason: str, actor: str) -> None:
    if not reason.strip() or not actor.strip():
        raise ValidationError("Say why and who: both are kept with the entry.", code="unsigned")
