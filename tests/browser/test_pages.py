"""Every page in the browser: quiet console, nothing from elsewhere, readable by machines, calm while it is live."""

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility_faults, look_again_and_again
from tests.clusterops.dashboard import seed

MORE = ("/cluster/tenants/", "/cluster/tenants/zurich/", "/cluster/changes/", "/docs/reasons")
Answers = Callable[[object], None]


@pytest.mark.parametrize("scheme, states", [("light", (0, 10)), ("dark", (20, 30))])
def test_pages_are_sound(signed_in: Page, cluster_answers: Answers, scheme: str, states: tuple[int, int]) -> None:
    """Jobs of four states, two in each scheme."""
    rows = seed.fill(jobs=60)
    page = signed_in
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for address in (
        "/",
        "/cluster/",
        "/cluster/jobs/",
        *(f"/cluster/jobs/{rows[n].pk}/" for n in states),
        *(MORE if scheme == "dark" else ("/docs",)),
    ):
        page.set_viewport_size({"width": 390, "height": 850})
        page.goto(address)
        if address == "/docs":
            expect(page.locator(".opblock").first).to_be_visible()
        if address == "/cluster/":
            expect(page.locator("[data-chart=ended] canvas")).to_be_visible()
        for width in (390, 1366):
            page.set_viewport_size({"width": width, "height": 850})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{address} is wider than {width}"
        # Swagger UI's own headings and landmarks are as they are.
        faults = accessibility_faults(page, but="moderate" if address == "/docs" else "")
        assert not faults, f"{address}:\n" + "\n".join(faults)


def test_live_page_keeps_scroll_and_focus(signed_in: Page, cluster_answers: Answers) -> None:
    rows = seed.fill(jobs=60)
    page = signed_in
    page.goto("/cluster/")
    link = page.locator("#running-now tbody a").nth(2)
    link.focus()
    target = link.get_attribute("href")
    page.evaluate("document.querySelector('#running-now .scroll').scrollTop = 40; scrollTo(0, 300)")
    before = page.evaluate("[scrollY, document.querySelector('#running-now .scroll').scrollTop]")
    canvas = page.locator("[data-chart=jobs] canvas").element_handle()
    running = {"reason": "RUNNING", "message": "The simulation is running.", "dispatched_at": timezone.now()}
    rows[10].move_to("RUNNING", **running)
    expect(page.locator(f"#run-{rows[10].job_id.hex}")).to_be_attached(timeout=20_000)
    assert page.evaluate("[scrollY, document.querySelector('#running-now .scroll').scrollTop]") == before
    assert page.evaluate("document.activeElement.getAttribute('href')") == target
    assert canvas.evaluate("node => node.isConnected")
    page.goto("/cluster/jobs/?status=RUNNING")
    chosen = page.locator(f"#row-{rows[2].job_id.hex} input")
    chosen.check()
    rows[1].move_to("FAILED", reason="SUMO_FAILED", message="It stopped.")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # as when a reader comes back
    expect(page.locator(f"#row-{rows[1].job_id.hex}")).to_have_count(0)
    expect(chosen).to_be_checked()
    expect(page.locator("tbody input:checked")).to_have_count(1)
    expect(page.get_by_role("searchbox", name="Search jobs, scenarios and studies")).to_have_value("")


def test_an_outage_shows_without_a_reload_and_goes_again(signed_in: Page, cluster_answers: Answers) -> None:
    seed.fill(jobs=30)
    page = signed_in
    page.goto("/cluster/")
    expect(page.locator("#health-cluster")).to_have_text("Cluster reachable")
    look_again_and_again(page)
    cluster_answers(None)
    expect(page.locator("#attention-cluster_unreachable")).to_be_visible()
    expect(page.locator("#live-state")).to_have_text("The cluster does not answer")
    cluster_answers(seed.snapshot())
    expect(page.locator("#attention-cluster_unreachable")).to_have_count(0)
