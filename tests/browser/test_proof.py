"""From a new tenant to read results, as people do it: admin, HTTP API, dashboard, on a cluster that runs real SUMO."""

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from client import Client
from clusterops.gateway import Gateway, forget_gateways, gateway_of, snapshot_cache
from clusterops.reconciler.one_pass import reconcile_once
from clusterops.reconciler.pass_state import Memory
from localcluster.cluster import LocalCluster
from localcluster.config import LocalClusterConfig
from localcluster.runner_image import runner_stand_in
from tenants.clusters import FIRST, first_cluster
from tests.browser.conftest import accessibility_faults, look_again_and_again

SAMPLE = Path(__file__).parents[2] / "simulations" / "samples" / "midtown_peak.zip"
PASSWORD = "a sentence that nobody guesses"
SLOW = 90_000
END = 1800  # of the 6,300 s that the sample can run: enough to be seen running


def _reconcile(gateway: Gateway, stop: threading.Event) -> None:
    memory = Memory(stop=stop)
    try:
        while not stop.wait(0.3):
            reconcile_once(gateway, memory)
    finally:
        connection.close()


@pytest.fixture
def product(live_server: LiveServer, settings: Settings, tmp_path: Path) -> Iterator[LiveServer]:
    """Web, reconciler and local cluster, wired to each other as `make demo` does."""
    plain = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = settings.STORAGES | {"default": plain}
    settings.RUNNER_URL = live_server.url
    settings.KUBE_CONFIG_PATH = str(tmp_path / "kubeconfig")
    cluster = LocalCluster(
        LocalClusterConfig(
            data=tmp_path / "cluster", kubeconfig=tmp_path / "kubeconfig", cpu="8", memory="16Gi",
            default_image=runner_stand_in(),
        )
    )  # fmt: skip
    cluster.start()
    forget_gateways()
    snapshot_cache.cache_of(FIRST).forget()
    stop = threading.Event()
    reconciler = threading.Thread(target=_reconcile, args=(gateway_of(first_cluster()), stop), name="reconciler")
    reconciler.start()
    yield live_server
    stop.set()
    reconciler.join()
    cluster.stop(stop_pods=True)
    forget_gateways()
    snapshot_cache.cache_of(FIRST).forget()


def _accessible(page: Page) -> None:
    faults = accessibility_faults(page)
    assert not faults, f"{page.url}:\n" + "\n".join(faults)


def _sign_in(page: Page) -> None:
    page.goto("/cluster/")
    page.get_by_label("Username").fill("nora")
    page.get_by_label("Password").fill(PASSWORD)
    _accessible(page)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Cluster", exact=True)).to_be_visible()
    expect(page.locator("#tenants")).to_contain_text("No tenant yet.")


def _make_tenant_and_key(page: Page) -> str:
    page.goto("/admin/")
    _accessible(page)
    page.goto("/admin/tenants/tenant/add/")
    page.locator("#id_tenant_id").fill("zurich")
    page.locator("#id_max_cpu").fill("6")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Issue key").click()
    key = page.locator(".sk-key").inner_text()
    _accessible(page)
    assert re.fullmatch(r"sk8_[A-Za-z0-9_-]{43}", key)
    return key


def _submit(url: str, key: str) -> str:
    tenant = Client(url, key)
    tenant.upload("midtown_peak", SAMPLE)
    return tenant.run("midtown_peak", end=END, labels={"study": "peak"}).id


def _watch_it_run(page: Page, job_id: str) -> None:
    row = page.locator(f"#run-{job_id.replace('-', '')}")
    expect(row).to_be_visible(timeout=SLOW)  # the page was never reloaded: polling brought it
    expect(page.locator("#nodes")).to_contain_text("Ready")
    row.get_by_role("link").click()
    expect(page.locator("#state")).to_contain_text("The simulation", timeout=SLOW)


def _read_its_results(page: Page) -> None:
    state = page.locator("#state")
    expect(state).to_contain_text("The simulation ended normally", timeout=SLOW)
    expect(state).to_contain_text("Mean travel time")
    for chart in ("vehicles", "speed", "travel"):
        box = page.locator(f"[data-chart={chart}]")
        expect(box.locator("canvas")).to_be_visible()
        expect(box).to_have_attribute("aria-label", re.compile(r"\d"))
    expect(page.locator("#log-text")).to_contain_text("result")
    expect(page.locator("#live-state")).to_have_text("Ended", timeout=15_000)
    _accessible(page)


def _lower_the_quota(page: Page) -> None:
    page.goto("/admin/tenants/tenant/zurich/change/")
    expect(page.locator("#quota-state")).to_contain_text("in force")
    page.locator("#id_max_cpu").fill("2")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("#quota-state")).to_contain_text("in force", timeout=SLOW)
    deadline = time.monotonic() + 30
    path = "/api/v1/namespaces/zurich/resourcequotas/zurich-quota"
    while gateway_of(first_cluster()).api.request("GET", path)["spec"]["hard"]["requests.cpu"] != "2":
        assert time.monotonic() < deadline, "the cluster never heard of the new limit"
        time.sleep(0.1)
    for address in ("/admin/tenants/tenant/", "/admin/simulations/job/", "/admin/simulations/scenario/"):
        page.goto(address)
        _accessible(page)


@pytest.mark.django_db(transaction=True)
def test_from_new_tenant_to_results(product: LiveServer, page: Page) -> None:
    User.objects.create_superuser("nora", password=PASSWORD)
    _sign_in(page)
    key = _make_tenant_and_key(page)
    page.goto("/cluster/")
    look_again_and_again(page)
    job_id = _submit(product.url, key)
    _watch_it_run(page, job_id)
    _read_its_results(page)
    _lower_the_quota(page)
