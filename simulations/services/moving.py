"""A tenant's move to another cluster: what has not begun goes along, what has begun ends where it is."""

from dataclasses import dataclass

from django.db import transaction

from simulations.models import Job
from tenants.clusters import Cluster
from tenants.errors import ApiError
from tenants.models import Tenant


@dataclass(frozen=True)
class Moved:
    """How many jobs came along, and how many end where they are."""

    came: int
    stay: int


@transaction.atomic
def move_tenant(*, tenant_id: str, to: Cluster) -> Moved:
    """Give the tenant another home. Repeating it changes nothing. Raises ApiError 422 for a region that is not allowed.

    The tenant's row is locked: no submission is between the old home and the new one. A job goes along unless its
    cluster was ever about to be asked for it (`dispatching_at`): of this statement and the dispatcher's, which asks for
    the same columns, one is first, so that no job is ever in both.
    """
    tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant_id)
    if not tenant.may_live_in(to.region):
        message = f"Tenant {tenant} is bound to {', '.join(tenant.allowed_regions)}; {to} stands in “{to.region}”."
        raise ApiError(422, "tenant.region", message)
    Tenant.objects.filter(pk=tenant.pk).update(cluster=to)
    elsewhere = Job.objects.filter(tenant=tenant).exclude(cluster=to)
    came = elsewhere.queued().filter(dispatching_at=None).update(cluster=to)
    return Moved(came, elsewhere.active().count())
