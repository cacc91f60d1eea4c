"""What touches a tenant and its keys together."""

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from tenants.clusters import Cluster
from tenants.errors import ApiError
from tenants.limits import Limit
from tenants.members import Role
from tenants.models import ApiKey, Plan, PlanAssignment, Tenant
from tenants.plans import billing_today

log = logging.getLogger(__name__)

MAX_USABLE_KEYS = 200  # of a tenant, that its owners may have; operators may make more


@dataclass(frozen=True)
class TenantFound:
    """The tenant as it is now; `key` in clear text only when one was made just now."""

    tenant: Tenant
    created: bool
    key: str | None


@transaction.atomic
def create_tenant(
    *,
    tenant_id: str,
    namespace: str = "",
    limits: Mapping[str, Limit] | None = None,
    cluster: Cluster | None = None,
    with_key: bool = True,
) -> TenantFound:
    """Make the tenant and its first key, or find it: repeating changes nothing. Its home is the first cluster unless
    another is told. Raises ValidationError."""
    if found := Tenant.objects.filter(tenant_id=tenant_id).first():
        return TenantFound(tenant=found, created=False, key=None)
    home = {"cluster": cluster} if cluster else {}
    wanted = Tenant(tenant_id=tenant_id, namespace=namespace, **home, **(limits or {}))
    wanted.full_clean()
    tenant, created = Tenant.objects.get_or_create(
        tenant_id=tenant_id, defaults={"namespace": wanted.namespace, **home, **wanted.limits}
    )
    key = ApiKey.objects.issue(tenant=tenant, label="first key")[1] if created and with_key else None
    return TenantFound(tenant=tenant, created=created, key=key)


@transaction.atomic
def issue_key(*, tenant: Tenant, label: str, role: Role, expires_at: datetime | None) -> tuple[ApiKey, str]:
    """For owners: the row and the key itself. Raises ApiError 409 keys.too_many."""
    _room_for_a_key(tenant)
    return ApiKey.objects.issue(tenant=tenant, label=label, role=role, expires_at=expires_at)


@transaction.atomic
def rotate_key(*, tenant: Tenant, key: ApiKey, overlap: timedelta) -> tuple[ApiKey, str]:
    """For owners: its successor, as `ApiKey.rotate` makes it. Raises ValidationError, ApiError 409 keys.too_many."""
    _room_for_a_key(tenant)
    return key.rotate(overlap=overlap)


def _room_for_a_key(tenant: Tenant) -> None:
    tenant.lock()
    if ApiKey.objects.usable().lasting().filter(tenant=tenant).count() >= MAX_USABLE_KEYS:
        message = f"{MAX_USABLE_KEYS} keys are usable already; revoke some first."
        raise ApiError(409, "keys.too_many", message)


@transaction.atomic
def assign_plan(
    *, tenant: Tenant, plan: Plan | None, since: date | None = None, keeps: Collection[str] = (), by: str = ""
) -> PlanAssignment:
    """The tenant has that plan since a day of the billing time zone; one to come is applied when the day has.

    Runs are billed by the plan of the day on which they ended, so a day that has passed is refused. Raises
    ValidationError.
    """
    today = billing_today()
    since = since or today
    if since < today:
        raise ValidationError("What has run was billed by the plan of its day; choose today or later.", code="past")
    assignment = PlanAssignment(tenant=tenant, plan=plan, since=since, keeps=sorted(keeps), made_by=by[:150])
    assignment.save()
    if since == today:
        assignment.apply(Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk))
    return assignment


@contextmanager
def suppress_invalid(pk: int) -> Iterator[None]:
    """An assignment that cannot be applied keeps no other from its day."""
    try:
        yield
    except ValidationError:
        log.exception("the plan of assignment %s cannot be applied", pk)


def apply_due_plans() -> int:
    """Assignments whose day has come, each in a transaction of its own; how many. Safe to repeat."""
    due = PlanAssignment.objects.filter(is_applied=False, since__lte=billing_today()).order_by("since", "id")
    applied = 0
    for pk in list(due.values_list("pk", flat=True)):
        with suppress_invalid(pk), transaction.atomic():
            assignment = due.select_for_update(skip_locked=True).filter(pk=pk).first()
            if assignment:
                tenant = Tenant.objects.select_for_update(no_key=True).get(pk=assignment.tenant_id)
                if assignment.is_superseded():  # by one that was made, and applied, before this one's look
                    assignment.is_applied = True
                    assignment.save(update_fields=["is_applied"])
                    continue
                assignment.apply(tenant)
                applied += 1
    return applied
