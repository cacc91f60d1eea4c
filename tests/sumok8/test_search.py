"""One search and one header for all: what somebody may see is found, and nothing else."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from simulations.models import Job
from simulations.studies.models import Study
from tenants.members import Member
from tenants.models import Tenant
from tests.factories import JobFactory
from tests.simulations.portal.test_access import ASKED

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(tenant: Tenant) -> Job:
    return JobFactory(tenant=tenant, scenario__scenario_id="harbour", labels={"study": "tram"})


@pytest.fixture
def theirs(other_tenant: Tenant) -> Job:
    Study.objects.create(tenant=other_tenant, seeds=[1], request=ASKED, name="harbour of theirs")
    return JobFactory(tenant=other_tenant, scenario__scenario_id="harbour-2")


@pytest.fixture
def member(tenant: Tenant) -> Client:
    user = User.objects.create_user("ann")
    Member.objects.create(tenant=tenant, user=user)
    client = Client()
    client.force_login(user)
    return client


def found(client: Client, text: str, **more: str) -> set[str]:
    """Addresses of what was found."""
    page = client.get("/search", {"q": text, **more}).text
    return set(re.findall(r'<li><a href="([^"]+)"', page))


def test_a_member_finds_what_is_the_tenants(member: Client, job: Job, theirs: Job, tenant: Tenant) -> None:
    page = f"/t/city-a/jobs/{job.pk}"
    digits = job.job_id.hex
    for part in (digits[:8], digits[5:14], str(job.pk), str(job.pk)[4:15].upper(), "tram"):
        assert found(member, part) == {page}, part
    study = Study.objects.create(tenant=tenant, seeds=[1], request=ASKED, name="Harbour tunnel")
    whole = {page, "/t/city-a/scenarios/harbour", f"/t/city-a/studies/{study.pk}"}
    assert found(member, "harbour") == found(member, "HARBOUR", tenant="city-a") == whole
    assert found(member, theirs.job_id.hex) == found(member, "h") == set()
    assert member.get("/search", {"q": "x", "tenant": "city-b"}).status_code == 404
    assert "Nothing is called" in member.get("/search", {"q": "<b>"}).text


def test_staff_find_everybodys_and_tenants(support: Client, job: Job, theirs: Job) -> None:
    assert found(support, "harbour") >= {reverse("cluster:job", args=[each.pk]) for each in (job, theirs)}
    assert found(support, "city-") == {"/t/city-a", "/t/city-b"}
    bare = Client()
    bare.force_login(User.objects.create_user("bare", is_staff=True))
    assert found(bare, "harbour") == set()
    assert Client().get("/search")["Location"] == "/sign-in?next=/search"


def test_it_asks_few_questions(
    member: Client, support: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    JobFactory.create_batch(30, tenant=tenant, labels={"study": "tram"})
    for client, text in ((member, "tram"), (support, "city")):
        with django_assert_max_num_queries(10):
            assert client.get("/search", {"q": text}).status_code == 200


@pytest.mark.parametrize("address", ["/admin/", "/admin/simulations/job/", "/cluster/jobs/", "/t/city-a", "/account"])
def test_all_pages_carry_the_same_header(superuser: Client, tenant: Tenant, address: str) -> None:
    page = superuser.get(address).text
    assert page.count('<header class="top">') == 1
    head = page[page.index('<header class="top">') : page.index("</header>")]
    for address in ("/", "/cluster/", "/admin/", "/docs", "/search", "/account", "/sign-out"):
        assert f'"{address}"' in head or f'"{address}?tenant=city-a"' in head, address
