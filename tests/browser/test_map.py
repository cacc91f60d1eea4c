"""The map of traffic per edge on a job's page."""

import gzip
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import accessibility_faults
from tests.clusterops.dashboard import seed
from tests.simulations.edges.conftest import deliver, keep

COLOURS = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return new Set(new Uint32Array(data.buffer)).size;
}"""


def test_a_map_is_drawn_searched_played_and_told(signed_in: Page, cluster_answers: Callable[[object], None]) -> None:
    page = signed_in
    job = deliver(next(row for row in seed.fill(jobs=60) if row.status == "SUCCEEDED"))
    page.goto(f"/cluster/jobs/{job.pk}/")
    map_ = page.locator("[data-map]")
    canvas = map_.locator("canvas")
    expect(map_.locator("tbody tr")).to_have_count(3)
    assert canvas.evaluate(COLOURS) > 10
    map_.get_by_label("Edge id").fill("b/1")
    map_.get_by_role("button", name="Find").click()
    expect(map_.locator("[data-part=edge]")).to_contain_text("500 m")
    expect(map_.locator("[data-part=edge] svg")).to_have_attribute(
        "aria-label", "Speed against the limit: from 50 to 50 %"
    )
    map_.get_by_label("Colour").select_option("time_loss")
    map_.get_by_label("per km").check()
    expect(map_.locator("thead")).to_contain_text("Time lost (veh-h/km)")
    map_.get_by_label("Interval").fill("2")
    expect(map_.locator("output")).to_have_text("0:15 to 0:30")
    expect(map_.locator("[data-part=edge]")).to_contain_text("0.04 veh-h/km")
    canvas.focus()
    before = canvas.evaluate("canvas => canvas.toDataURL()")
    page.keyboard.press("-")
    page.wait_for_function("before => document.querySelector('.map canvas').toDataURL() !== before", arg=before)
    map_.locator("summary").click()
    faults = accessibility_faults(page)
    assert not faults, "\n".join(faults)


def test_a_network_that_makes_no_sense_is_said(signed_in: Page, cluster_answers: Callable[[object], None]) -> None:
    page = signed_in
    job = deliver(next(row for row in seed.fill(jobs=60) if row.status == "SUCCEEDED"))
    job.artifacts.filter(name="network.json.gz").delete()
    keep(job, "network.json.gz", gzip.compress(b'{"ids": 7}'))
    page.goto(f"/cluster/jobs/{job.pk}/")
    expect(page.locator("[data-part=said]")).to_have_text("This network cannot be drawn.")
