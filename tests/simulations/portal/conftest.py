from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from tenants.members import Member
from tenants.models import Tenant

Who = Callable[[str], Client]


@pytest.fixture
def client_of(tenant: Tenant, other_tenant: Tenant) -> Who:
    """A signed-in client of `tenant` by its role; also `anonymous`, `stranger`, `other` (an owner elsewhere), `staff`
    (Support) and `bare staff` (no permissions)."""

    def client_of(who: str) -> Client:
        client = Client()
        if who == "anonymous":
            return client
        user = User.objects.create_user(who, is_staff=who.endswith("staff"))
        if who == "staff":
            user.groups.add(Group.objects.get(name="Support"))
        if who in ("viewer", "engineer", "owner"):
            Member.objects.create(tenant=tenant, user=user, role=who)
        if who == "other":
            Member.objects.create(tenant=other_tenant, user=user, role="owner")
        client.force_login(user)
        return client

    return client_of
