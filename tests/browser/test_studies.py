"""A tenant's engineer makes a study in the browser, reads the comparison, and shares it with somebody
who has no account."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from simulations.models import Scenario
from simulations.studies.models import Study
from tenants.members import Member
from tenants.models import Tenant
from tests.browser.conftest import accessibility_faults
from tests.simulations.conftest import town as town
from tests.simulations.portal.studies.conftest import end_all


@pytest.fixture
def page_of_ida(page: Page, client, transactional_db: None, tenant: Tenant) -> Page:
    ida = User.objects.create_user("ida")
    Member.objects.create(tenant=tenant, user=ida, role="engineer")
    client.force_login(ida)
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "domain": "localhost", "path": "/"}])
    return page


def sound(page: Page, scheme: str = "light") -> None:
    """At both widths, and for machines."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for width in (1366, 390):
        page.set_viewport_size({"width": width, "height": 850})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} is wider than {width}"
    faults = accessibility_faults(page)
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


def test_from_the_form_to_a_shared_comparison(page_of_ida: Page, town: Scenario, live_server: LiveServer) -> None:
    page = page_of_ida
    page.goto("/t/city-a/studies")
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Name", exact=True).fill("more traffic")
    page.get_by_label("Scenario", exact=True).select_option("town")
    page.get_by_label("End, seconds").fill("100")
    page.get_by_label("Seeds", exact=True).fill("4")
    page.get_by_label("Sweep of the demand's scale").fill("1, 1.05")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("8 runs, and nothing is wrong with them")).to_be_visible()
    sound(page)
    page.get_by_role("button", name="Submit 8 runs").click()
    expect(page.get_by_text("No verdict yet: 0 of 8 runs have ended.")).to_be_visible()
    end_all(Study.objects.get())
    expect(page.get_by_text("Compare the cells")).to_be_visible()  # the live part has fetched it
    sound(page, "dark")
    page.get_by_role("link", name="Compare the cells").click()
    expect(page.get_by_role("heading", name="Does it matter?")).to_be_visible()
    page.locator("#curves").scroll_into_view_if_needed()
    expect(page.get_by_text("No run has left its files yet")).to_be_visible()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    page.context.clear_cookies()
    page.goto(link.replace(re.match(r"https?://[^/]+", link)[0], live_server.url))  # type: ignore[index]
    expect(page.get_by_text("Shared to be read until")).to_be_visible()
    sound(page, "dark")
