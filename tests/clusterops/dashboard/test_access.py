"""Every address of the dashboard is for staff, those that are added later too."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, reverse

from clusterops.dashboard.urls import app_name, urlpatterns

EXAMPLES = {"UUIDConverter": uuid.UUID(int=1), "SlugConverter": "summary", "PathConverter": "a.csv"}


def address(pattern: URLPattern) -> str:
    given = {name: EXAMPLES[type(kind).__name__] for name, kind in pattern.pattern.converters.items()}
    return reverse(f"{app_name}:{pattern.name}", kwargs=given)


@pytest.mark.django_db
def test_nobody_else_is_let_in(client: Client) -> None:
    addresses = [address(pattern) for pattern in urlpatterns]
    for each in addresses:
        answers = [client.get(each), client.post(each)]
        assert {answer.status_code for answer in answers} <= {302, 405}, each
        [told] = [answer["Location"] for answer in answers if answer.status_code == 302]
        assert told.startswith("/admin/login/?next=/cluster/")
    client.force_login(User.objects.create_user("visitor"))
    for each in addresses:
        assert sorted([client.get(each).status_code, client.post(each).status_code]) == [403, 405], each
