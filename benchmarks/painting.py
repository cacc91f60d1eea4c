"""Staff's pages in Chromium, of an installation where nothing happens: first paint, and what polling carries."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.rows import clear
from benchmarks.stack import ROOT, product

ADDRESSES = ("/cluster/", "/admin/", "/cluster/jobs/", "/docs", "/docs/reasons")
TIMES = 3
SETTLES_S, LISTENS_S = 16, 60  # until each part was polled once, which sends it whole
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def measure(folder: Path) -> list[dict[str, Any]]:
    """240 ended jobs of 12 tenants, all as deployed; each page in a browser that knows nothing."""
    from django.contrib.auth.models import User
    from django.test import Client
    from playwright.sync_api import sync_playwright

    from simulations.models import Job
    from tests.browser.conftest import FLAGS, SYSTEMS
    from tests.clusterops.dashboard import seed

    clear()
    seed.fill(tenants=12, jobs=260)
    Job.objects.active().delete()
    staff = Client()
    staff.force_login(User.objects.create_superuser("painter"))
    with _cluster(folder), product() as url, sync_playwright() as playwright:
        cookie = {"name": "sessionid", "value": staff.cookies["sessionid"].value, "url": url}
        found = SYSTEMS if SYSTEMS.exists() else None
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        rows = [_row(browser, url, cookie, address) for address in ADDRESSES]
        browser.close()
    return rows


def _row(browser: Any, url: str, cookie: dict[str, str], address: str) -> dict[str, Any]:
    """The bytes are those of the last time, headers included: until the page has settled, and after it."""
    painted = []
    for _ in range(TIMES):
        context = browser.new_context(base_url=url, viewport={"width": 1366, "height": 850})
        context.add_cookies([cookie])
        page, sizes = context.new_page(), [0.0]
        session = context.new_cdp_session(page)
        session.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        session.send("Network.enable")
        page.goto(address)
        while (at := page.evaluate(PAINTED)) is None:
            page.wait_for_timeout(20)
        painted.append(at)
        if len(painted) == TIMES:
            page.wait_for_timeout(SETTLES_S * 1000)
            first = sum(sizes)
            page.wait_for_timeout(LISTENS_S * 1000)
            later = sum(sizes) - first
        context.close()
    return {
        "page": address,
        "first paint ms": median(painted),
        "kB at first": first / 1000,
        "MB an hour": later * 3600 / LISTENS_S / 1e6,
    }


@contextlib.contextmanager
def _cluster(folder: Path) -> Iterator[None]:
    """A local cluster and the reconciler, which has looked at it."""
    from clusterops.models import ReconcilerState
    from localcluster.cluster import LocalCluster
    from localcluster.config import LocalClusterConfig

    config = LocalClusterConfig(data=folder / "cluster", kubeconfig=folder / "kubeconfig")
    cluster = LocalCluster(config)
    cluster.start()
    os.environ["KUBE_CONFIG_PATH"] = str(config.kubeconfig)
    ReconcilerState.objects.all().delete()
    reconciler = subprocess.Popen([sys.executable, "manage.py", "reconcile_jobs"], cwd=ROOT)
    try:
        while not ReconcilerState.objects.filter(cluster_reachable=True).exists():
            if reconciler.poll() is not None:
                raise RuntimeError("the reconciler ended")
            time.sleep(0.1)
        yield
    finally:
        reconciler.terminate()
        reconciler.wait()
        cluster.stop(stop_pods=True)
        del os.environ["KUBE_CONFIG_PATH"]
