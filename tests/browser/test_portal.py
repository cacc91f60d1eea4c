"""A tenant's engineer in the browser: signs in, uploads by drop, submits, and reads what came of it."""

import base64
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings

from simulations.models import Job
from tenants.members import Member
from tests.browser.conftest import accessibility_faults
from tests.clusterops.dashboard import seed
from tests.factories import TenantFactory
from tests.simulations.scenarios import archive

PASSWORD = "a sentence that nobody guesses"
DROP = """([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name));
  document.getElementById("upload").dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
}"""


@pytest.fixture
def own_files(settings: Settings, tmp_path: Path) -> None:
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = settings.STORAGES | {"default": plain}


def _sound(page: Page) -> None:
    """At both widths and for machines."""
    for width in (390, 1366):
        page.set_viewport_size({"width": width, "height": 850})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{page.url} is wider than {width}"
    faults = accessibility_faults(page)
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


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


@pytest.mark.django_db(transaction=True)
def test_from_the_sign_in_to_the_results(page: Page, own_files: None, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    ann = User.objects.create_user("ann", password=PASSWORD)
    Member.objects.create(tenant=TenantFactory(tenant_id="zurich"), user=ann, role="engineer")
    page.goto("/t/zurich/scenarios")
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    _sound(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Scenarios")).to_be_visible()
    _sound(page)
    page.evaluate(DROP, ["ring road.zip", base64.b64encode(archive()).decode()])
    expect(page.get_by_role("heading", name="ring-road")).to_be_visible()
    _sound(page)
    page.get_by_role("link", name="Run this version").click()
    page.get_by_role("button", name="Check first").click()
    expect(page.get_by_text("1 of 1 starts now")).to_be_visible()
    _sound(page)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".headline")).to_have_text("Waiting: next in line")
    job = Job.objects.get()
    seed.store_results(job, rows=600)
    job.move_to("SUCCEEDED", reason="COMPLETED", message="All is stored.", results={"kpis": seed.KPIS})
    expect(page.locator(".headline")).to_contain_text("Complete: 12,281 of 12,403 trips")
    expect(page.locator("#live-state")).to_have_text("Ended")
    for chart in ("vehicles", "speed", "travel"):
        expect(page.locator(f"[data-chart={chart}] canvas")).to_be_visible()
    _sound(page)
    _zoom(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="summary.csv.gz").click()
    assert saved.value.suggested_filename == "summary.csv.gz"
    for address in ("/t/zurich", "/t/zurich/jobs"):
        page.goto(address)
        _sound(page)
