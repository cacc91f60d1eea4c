"""Every address of the portal, for everybody, by GET and POST."""

import pytest

from simulations.models import Job
from tests.factories import JobFactory
from tests.simulations.portal.conftest import Who


@pytest.fixture
def job(tenant) -> Job:
    return JobFactory(tenant=tenant)


def test_pages_by_role(client_of: Who, job: Job) -> None:
    for who in ("viewer", "engineer", "owner", "staff"):
        assert client_of(who).get("/t/city-a").status_code == 200


@pytest.mark.parametrize("who", ["stranger", "other", "bare staff"])
def test_others_find_nothing(client_of: Who, job: Job, who: str) -> None:
    assert client_of(who).get("/t/city-a").status_code == 404


def test_the_signed_out_come_back_after_the_sign_in(client_of: Who) -> None:
    answer = client_of("anonymous").get("/t/city-a/jobs")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=/t/city-a/jobs")
