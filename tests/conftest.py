"""Fixtures for every room."""

import gc
import os
import socketserver
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client, TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from localcluster.cluster import LocalCluster
from localcluster.config import Image
from simulations import attention, files, machines
from simulations.models import Job
from tenants.models import Tenant
from tests.factories import TenantFactory, issue_key
from tests.local_clusters import running
from tests.template_database import copy_of_template, make_template

# The same examples in every run: a red test is this change's. `ARGS=--hypothesis-profile=default` tries more.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=30)
hypothesis.settings.load_profile("repeatable")


# Servers in tests send an answer in two pieces; the second would wait 40 ms for the client's delayed ACK.
socketserver.StreamRequestHandler.disable_nagle_algorithm = True


@pytest.hookimpl(trylast=True)  # after pytest-django's own order, which puts tests without a database last
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test process begins with an equal part (`--dist worksteal`): the first with all that need a browser, so that
    one is started, the others with their share of long tests, so that none is left over at the end."""
    parts = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    pages = [item for item in items if item.get_closest_marker("browser")]
    others = [item for item in items if not item.get_closest_marker("browser")]
    long = [item for item in others if item.get_closest_marker("long")]
    short = [item for item in others if not item.get_closest_marker("long")]
    first = [pages, *(long[part :: parts - 1] for part in range(parts - 1))] if parts > 1 else [pages + long]
    size = -(-len(short) // parts)
    items[:] = [item for part in range(parts) for item in (*first[part], *short[part * size :][:size])]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What has been imported and collected stays; to search it for garbage again and again is an eighth of all work."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """In place of pytest-django's, which migrates a database for each test process."""
    with django_db_blocker.unblock():
        make_template()
    with copy_of_template(f"test_sumok8_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"):
        yield


# What migrations and `post_migrate` write, once.
SPARED = {"clusters": " WHERE id > 1"}
SEEDED = {"django_migrations", "django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


@pytest.fixture(autouse=True, scope="session")
def tables_with_rows_are_emptied() -> None:
    """After a test that commits. Django's flush truncates every table and writes all permissions anew: 0.5 s a test."""

    def empty(test: TransactionTestCase) -> None:
        tables = set(connection.introspection.django_table_names(include_views=False)) - SEEDED
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(f"(SELECT '{table}' FROM {table} LIMIT 1)" for table in sorted(tables)))
            found = [f"DELETE FROM {table}{SPARED.get(table, '')}" for (table,) in cursor.fetchall()]
            # as a replica does: in any order, and also where a trigger refuses it
            cursor.execute("; ".join(["BEGIN", "SET LOCAL session_replication_role = replica", *found, "COMMIT"]))

    TransactionTestCase._fixture_teardown = empty  # type: ignore[method-assign]


@pytest.fixture(autouse=True, scope="session")
def settings_of_all_tests() -> Iterator[None]:
    """Pages are rendered without `collectstatic`, which the manifest of production's storage needs; nobody guesses
    passwords here, and a hash as in production takes 0.3 s."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    storages = django_settings.STORAGES | {"staticfiles": plain}
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(STORAGES=storages, PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(autouse=True)
def nobody_has_looked_yet() -> None:
    """Each test asks anew when the reconciler last looked, what it saw, and whether storages answer."""
    attention.forget()
    files.forget_silence()
    machines.forget()


@pytest.fixture(autouse=True)
def no_column_is_loaded_late(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A column missing in an `.only()` costs a query for each job, unseen. Noted: a pass catches what is raised."""
    late: list[str] = []
    load = Job.refresh_from_db

    def refresh_from_db(job: Job, using: Any = None, fields: Any = None, **others: Any) -> None:
        if fields:  # as a deferred attribute asks for itself
            late.extend(f"Job.{name}" for name in job.get_deferred_fields() & set(fields))
        load(job, using=using, fields=fields, **others)

    monkeypatch.setattr(Job, "refresh_from_db", refresh_from_db)
    yield
    assert not late, f"columns missing in .only(): {sorted(set(late))}"


@pytest.fixture
def tenant(db: None) -> Tenant:
    return TenantFactory(tenant_id="city-a")


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    return TenantFactory(tenant_id="city-b")


def client_with(key: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


@pytest.fixture
def api(tenant: Tenant) -> APIClient:
    """An HTTP client with `tenant`'s key."""
    return client_with(issue_key(tenant))


@pytest.fixture
def other_api(other_tenant: Tenant) -> APIClient:
    return client_with(issue_key(other_tenant))


@pytest.fixture
def admin_api(db: None) -> APIClient:
    return client_with(issue_key(None))


def _staff(name: str, *groups: str, **flags: bool) -> Client:
    user = User.objects.create_user(name, is_staff=True, **flags)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser(db: None) -> Client:
    """A browser signed in as a superuser."""
    return _staff("root", is_superuser=True)


@pytest.fixture
def support(db: None) -> Client:
    """A browser signed in as a member of the group Support, who looks."""
    return _staff("sam", "Support")


@pytest.fixture
def quota_editor(db: None) -> Client:
    """A browser signed in as a member of the group Quota editors."""
    return _staff("quinn", "Quota editors")


@pytest.fixture(scope="session")
def local_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One running cluster for all tests; each test takes a namespace of its own. Any image name starts Python here."""
    images = {"docker.io/library/root:test": Image(as_root=True)}
    with running(tmp_path_factory.mktemp("local-cluster"), cpu="1000", memory="1000Gi", images=images) as cluster:
        yield cluster
