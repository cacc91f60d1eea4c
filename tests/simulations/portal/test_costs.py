"""What the portal's pages cost: as many queries with many rows as with one of each."""

from collections.abc import Iterator

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from simulations import attention, machines
from simulations.models import Job
from simulations.studies.models import Study
from simulations.webhooks.models import Endpoint
from tenants.members import Invitation, Member
from tenants.models import ApiKey, Tenant
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who
from tests.simulations.portal.test_access import ASKED, FORMS, PAGES
from tests.simulations.portal.test_access import address_of as address_of
from tests.simulations.portal.test_access import no_cluster as no_cluster

MOST = 20  # session, user and seat among them


def _costs(client: Client, addresses: dict[str, str]) -> Iterator[tuple[str, int]]:
    for name, address in addresses.items():
        attention.forget()  # else asked once a second, on whichever page that falls
        machines.forget()
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200, name
        yield name, len(asked)


def _more_of_everything(tenant: Tenant, number: int) -> None:
    job = Job.objects.select_related("scenario").get()
    made = (JobFactory.build(tenant=tenant, scenario=job.scenario, k8s_namespace="city-a") for _ in range(number))
    Job.objects.bulk_create(made)
    Study.objects.bulk_create(Study(tenant=tenant, seeds=[1], request=ASKED) for _ in range(number))
    users = type(Member.objects.all()[0].user).objects
    for place in range(number):
        ApiKey.objects.issue(tenant=tenant)
        Member.objects.create(tenant=tenant, user=users.create_user(f"user-{place}"))
        _token, digest, ends = Invitation.new_token()
        Invitation.objects.create(tenant=tenant, digest=digest, expires_at=ends)
        Endpoint.objects.create(tenant=tenant, url=f"https://a.example/{place}")


def test_pages_cost_the_same_at_any_size(client_of: Who, address_of: dict[str, str], tenant: Tenant) -> None:
    owner = client_of("owner")
    addresses = {name: address_of[name] for name in sorted(PAGES | set(FORMS))}
    addresses |= {"search": "/search?q=city", "account": "/account"}
    before = dict(_costs(owner, addresses))
    _more_of_everything(tenant, 30)
    after = dict(_costs(owner, addresses))
    assert {name: (before[name], cost) for name, cost in after.items() if cost > before[name]} == {}
    assert max(after.values()) <= MOST, after
