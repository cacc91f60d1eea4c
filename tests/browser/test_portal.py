"""A tenant's people in the browser: an owner invites an engineer, who signs in, uploads, submits, watches, reads the
results, makes a study, reads its comparison and shares it with somebody who has no account."""

import base64
import re
from itertools import cycle
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from simulations.models import Job
from simulations.studies.models import Study
from tenants.members import Member
from tests.browser.conftest import accessibility_faults
from tests.clusterops.dashboard import seed
from tests.factories import TenantFactory
from tests.simulations.edges.conftest import deliver
from tests.simulations.portal.studies.conftest import end_all
from tests.simulations.scenarios import archive

PASSWORD = "a sentence that nobody guesses"
DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  document.getElementById("upload").dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
}"""
SCHEMES = cycle(["light", "dark"])


@pytest.fixture
def own_files(settings: Settings, tmp_path: Path) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}


def _sound(page: Page) -> None:
    """At both widths and for machines; by turns in light and dark."""
    page.emulate_media(color_scheme=next(SCHEMES))  # type: ignore[arg-type]
    for width in (390, 1366):
        page.set_viewport_size({"width": width, "height": 850})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} is wider than {width}"
    faults = accessibility_faults(page)
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


def _is(page: Page, name: str) -> None:
    """Signed in as somebody of the tests, without the form."""
    client = Client()
    client.force_login(User.objects.get(username=name))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "domain": "localhost", "path": "/"}])


def _here(link: str) -> str:
    """A link that a page shows, without its host: Playwright's own leads to the test's server."""
    return re.sub(r"^https?://[^/]+", "", link.strip())


def _invited(page: Page) -> str:
    page.goto("/t/zurich/members")
    page.get_by_label("Role", exact=True).select_option("engineer")
    page.get_by_label("For whom").fill("ann")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".secret").inner_text()
    _sound(page)
    page.get_by_role("button", name="Sign out").click()
    return link


def _join_and_sign_in(page: Page, link: str) -> None:
    page.goto(_here(link))
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password:", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    _sound(page)
    page.get_by_role("button", name="Make the account and join").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/t/zurich/scenarios")
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    _sound(page)
    page.get_by_role("button", name="Sign in").click()


def _upload_and_submit(page: Page) -> Job:
    expect(page.get_by_role("heading", name="Scenarios")).to_be_visible()
    page.evaluate(DROP, ["ring road.zip", base64.b64encode(archive()).decode()])
    expect(page.get_by_role("heading", name="ring-road")).to_be_visible()
    _sound(page)
    page.get_by_role("link", name="Run this version").click()
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_text("1 of 1 starts now")).to_be_visible()
    _sound(page)
    page.get_by_role("button", name="Submit").click()
    return Job.objects.get()


def _zoom(page: Page) -> None:
    """Drawn over in one chart, the others of the same axis follow; Escape shows all again."""
    ends = "name => document.querySelector(`[data-chart=${name}]`).shown.plot.scales.x.max"
    plot = page.locator("[data-chart=vehicles] .u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    whole = page.evaluate(ends, "speed")
    page.mouse.move(box["x"] + 20, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 90, box["y"] + 40, steps=3)
    page.mouse.up()
    assert page.evaluate(ends, "speed") < whole
    expect(page.locator("[data-chart=vehicles] .chart-tip")).to_contain_text("Halting")
    page.keyboard.press("Escape")
    assert page.evaluate(ends, "speed") == whole


def _watch_and_read(page: Page, job: Job) -> None:
    expect(page.locator(".headline")).to_have_text("Waiting: next in line")
    seed.store_results(job, rows=600)
    deliver(job)
    job.move_to("SUCCEEDED", reason="COMPLETED", message="All is stored.", results={"kpis": seed.KPIS})
    expect(page.locator(".headline")).to_contain_text("Complete: 12,281 of 12,403 trips")  # nothing was reloaded
    expect(page.locator("#live-state")).to_have_text("Ended")
    for chart in ("vehicles", "speed", "travel"):
        expect(page.locator(f"[data-chart={chart}] canvas")).to_be_visible()
    expect(page.locator("[data-map] tbody tr")).to_have_count(3)
    _sound(page)
    _zoom(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="summary.csv.gz").click()
    assert saved.value.suggested_filename == "summary.csv.gz"
    page.get_by_role("searchbox").fill(job.job_id.hex[3:11])
    page.get_by_role("searchbox").press("Enter")
    page.locator(".hits").get_by_role("link", name="ring-road").click()
    expect(page).to_have_url(re.compile(str(job.pk)))


def _study(page: Page) -> None:
    page.goto("/t/zurich/studies")
    page.get_by_role("link", name="New study").click()
    page.get_by_label("Name", exact=True).fill("bus lane")
    page.get_by_label("Scenario", exact=True).select_option("ring-road")
    page.get_by_label("Seeds", exact=True).fill("5")
    page.locator("#name-1").fill("today")
    page.locator("#name-2").fill("lane")
    page.locator("#options-2").fill("time-to-teleport=120")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("10 runs, and nothing is wrong with them")).to_be_visible()
    _sound(page)
    page.get_by_role("button", name="Submit 10 runs").click()
    expect(page.get_by_text("No verdict yet: 0 of 10 runs have ended.")).to_be_visible()
    end_all(Study.objects.get())
    expect(page.get_by_text("Compare the cells")).to_be_visible()  # the live part has fetched it
    _sound(page)


def _compare_and_share(page: Page) -> str:
    page.get_by_role("link", name="Compare the cells").click()
    expect(page.get_by_role("heading", name="Does it matter?")).to_be_visible()
    page.locator("#curves").scroll_into_view_if_needed()
    expect(page.get_by_text("No run has left its files yet")).to_be_visible()
    _sound(page)
    page.get_by_role("button", name="Make a link").click()
    return page.get_by_label("Link", exact=True).input_value()


@pytest.mark.django_db(transaction=True)
def test_from_the_invitation_to_a_shared_comparison(page: Page, own_files: None, live_server: LiveServer) -> None:
    zurich = TenantFactory(tenant_id="zurich")
    for name, tenant, role in (("olga", zurich, "owner"), ("vera", zurich, "viewer"), ("otto", None, "owner")):
        Member.objects.create(tenant=tenant or TenantFactory(), user=User.objects.create_user(name), role=role)
    _is(page, "olga")
    link = _invited(page)
    _join_and_sign_in(page, link)
    job = _upload_and_submit(page)
    _watch_and_read(page, job)
    _study(page)
    shared = _compare_and_share(page)
    page.context.clear_cookies()
    page.goto(_here(shared))
    expect(page.get_by_text("Shared to be read until")).to_be_visible()
    _sound(page)
    for name, address, status in (
        ("vera", "/t/zurich/submit", 403), ("vera", f"/t/zurich/jobs/{job.pk}", 200), ("otto", "/t/zurich", 404),
        ("otto", f"/t/zurich/jobs/{job.pk}", 404),
    ):  # fmt: skip
        _is(page, name)
        assert page.request.get(f"{live_server.url}{address}").status == status, (name, address)
