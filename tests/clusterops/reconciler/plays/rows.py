"""What rows say, as submissions, uploads, keys and passes leave them."""

from collections.abc import Iterator
from datetime import timedelta

from django.utils import timezone

from simulations.services import storage
from simulations.webhooks.models import Endpoint
from tenants.models import ApiKey, Tenant
from tests.clusterops.reconciler.plays.world import Play, World, ago, dated_back, entered_in
from tests.conftest import client_with

ROWS: dict[str, Play] = {}


@entered_in(ROWS)
def never_fits(world: World) -> Iterator[None]:
    world.submit(world.tenant("small", max_cpu=4), cpu=8)
    yield
    Tenant.objects.filter(pk="small").update(max_cpu=8)


@entered_in(ROWS)
def waits_at_limits(world: World) -> Iterator[None]:
    tenant, go = world.tenant("limited", max_concurrent_jobs=1), world.folder / "go"
    world.until(world.submit(tenant, hold=str(go)), "RUNNING")
    second = world.submit(tenant)
    dated_back(second, hours=2)
    yield
    go.touch()


@entered_in(ROWS)
def waits_for_room(world: World) -> Iterator[None]:
    """One of 10 CPUs is taken by the play before."""
    go = world.folder / "room"
    world.settings.CAPACITY = "cpu=10,memory=100Gi"
    world.sample()
    world.until(world.submit(world.tenant("large"), cpu=9, hold=str(go)), "RUNNING")
    second = world.submit(world.tenant("patient"))
    dated_back(second, hours=2)
    world.loop.once()
    yield
    go.touch()


@entered_in(ROWS)
def storage_nearly_full(world: World) -> Iterator[None]:
    world.settings.TENANT_MAX_RESULT_BYTES = 1000
    tenant = world.tenant("keeper")
    storage.take(tenant.pk, "results", 950)
    yield
    storage.take(tenant.pk, "results", -500)


@entered_in(ROWS)
def volume_nearly_full(world: World) -> Iterator[None]:
    with world.patch.context() as patch:
        patch.setattr("clusterops.policy.attention.VOLUME_LEAST_FREE", 1.01)  # more than any volume has
        world.settings.MEDIA_ROOT = world.folder
        world.loop.once()
        yield


@entered_in(ROWS)
def webhooks_failing(world: World) -> Iterator[None]:
    row = Endpoint.objects.create(tenant=world.tenant("hooked"), url="https://example.org/", failing_since=ago(hours=2))
    yield
    Endpoint.objects.filter(pk=row.pk).update(failing_since=None)


@entered_in(ROWS)
def key_expiring(world: World) -> Iterator[None]:
    yield from _expiring(world.tenant("keyed"), "/jobs")


@entered_in(ROWS)
def admin_key_expiring(world: World) -> Iterator[None]:
    yield from _expiring(None, "/admin/jobs")


def _expiring(tenant: Tenant | None, address: str) -> Iterator[None]:
    row, key = ApiKey.objects.issue(tenant=tenant, expires_at=timezone.now() + timedelta(days=2))
    assert client_with(key).get(address).status_code == 200  # somebody uses it
    yield
    ApiKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
