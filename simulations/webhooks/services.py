"""What tenants do with their webhooks, by the API and on pages alike."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction

from simulations.models import Notice
from simulations.webhooks.models import Delivery, Endpoint
from tenants.errors import ApiError
from tenants.models import Tenant

MAX_TESTS_WAITING = 5


@transaction.atomic
def add_endpoint(*, tenant: Tenant, url: str, events: Iterable[str]) -> Endpoint:
    """`url` and `events` as `EndpointRequest` takes them. Raises ApiError 409 webhook.too_many."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)  # counted under its lock
    most = settings.WEBHOOKS_PER_TENANT
    if Endpoint.objects.filter(tenant=tenant).count() >= most:
        raise ApiError(409, "webhook.too_many", f"You have {most} webhooks, the most there may be; delete one.")
    return Endpoint.objects.create(tenant=tenant, url=url, events=sorted(set(events)))


@transaction.atomic
def delete_endpoint(endpoint: Endpoint) -> None:
    """With what waits for it. Its row is locked first, as a sender does, so that neither waits for the other."""
    for each in Endpoint.objects.filter(pk=endpoint.pk).select_for_update():
        each.delete()


@transaction.atomic
def send_test(endpoint: Endpoint) -> Delivery:
    """Raises ApiError 409: webhook.inactive, webhook.tests_waiting."""
    if not endpoint.is_active:
        raise ApiError(409, "webhook.inactive", "This webhook is not active; make it active first.")
    tests = endpoint.deliveries.filter(state=Delivery.State.PENDING, notice__kind=Notice.Kind.TEST)
    if tests.count() >= MAX_TESTS_WAITING:
        raise ApiError(409, "webhook.tests_waiting", "The tests before have not been delivered yet; see their log.")
    data = {"endpoint_id": str(endpoint.pk)}
    notice = Notice.objects.create(tenant_id=endpoint.tenant_id, kind=Notice.Kind.TEST, data=data, is_addressed=True)
    return Delivery.objects.create(endpoint=endpoint, notice=notice)
