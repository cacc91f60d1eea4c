"""The way to the identity provider and back, as a browser goes it: cookies, policy, redirects."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tenants.models import Tenant, TrustedIssuer
from tests.browser.conftest import accessibility_faults
from tests.issuer import Issuer
from tests.issuer import issuer as issuer

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_person_signs_in_at_the_provider(
    browser: Browser, live_server: LiveServer, issuer: Issuer, tenant: Tenant, settings: Settings
) -> None:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_NAME = issuer.url, "sumok8", "City account"
    settings.ALLOWED_HOSTS = ["*"]
    given = {"issuer": issuer.url, "audience": "sumok8", "claims": {"groups": "planners"}}
    TrustedIssuer.objects.create(tenant=tenant, purpose=TrustedIssuer.Purpose.PEOPLE, **given)
    page = browser.new_page(base_url=live_server.url)
    page.goto("/sign-in")
    assert not accessibility_faults(page)
    page.get_by_role("link", name="Sign in with City account").click()
    expect(page.get_by_role("alert")).to_contain_text("None of your groups leads to a tenant")
    assert not accessibility_faults(page)
    issuer.groups = ["planners"]
    page.get_by_role("link", name="Try again").click()
    page.wait_for_url("**/t/city-a*")
    expect(page.locator("header")).to_contain_text("nora")
    page.close()
