"""Corrections: a reversal and, if anything is to be charged in its place, a new row, with who and why."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from clusterops.usage.entries import Months, in_place_of, lock, reversal
from clusterops.usage.ledger import CREDIT, LedgerEntry, amount_of
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
    months = Months()
    rows = [reversal(wrong, reason=reason, actor=actor, months=months)]
    if quantity:
        amount = amount_of(wrong.item, quantity, wrong.price)
        signed: Any = {"reason": reason, "actor": actor, "months": months}
        rows.append(in_place_of(wrong, "correction", Decimal(quantity), amount, **signed))
    return list(LedgerEntry.objects.bulk_create(rows))


@transaction.atomic
def credit(tenant: Tenant, amount: Decimal, *, reason: str, actor: str, key: str) -> LedgerEntry:
    """Charge (or, below 0, give back) an amount; the same `key` again changes nothing. Raises ValidationError."""
    _check(reason, actor)
    lock()
    source = f"credit:{key}"
    found = LedgerEntry.objects.filter(tenant_name=tenant.pk, source=source, item=CREDIT, generation=0).first()
    today = billing_today()
    return found or LedgerEntry.objects.create(
        tenant=tenant,
        tenant_name=tenant.pk,
        source=source,
        item=CREDIT,
        quantity=1,
        amount=amount,
        currency=settings.BILLING_CURRENCY,
        day=today,
        period=Months().period(today),
        reason=reason[:200],
        actor=actor[:150],
    )


def _check(reason: str, actor: str) -> None:
    if not reason.strip() or not actor.strip():
        raise ValidationError("Say why and who: both are kept with the entry.", code="unsigned")
