"""The system's Chromium, and a guard that hears every complaint a page makes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)
from pytest_django.live_server_helper import LiveServer

from tests.clusterops.dashboard.conftest import cluster_answers as cluster_answers

SYSTEMS = Path("/usr/bin/chromium")
INSTALL_S = 180
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
expect.set_options(timeout=20_000)  # a busy machine draws slowly
FAULTS = {"moderate", "serious", "critical"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def chromium_of(playwright: Playwright) -> Path:
    """The system's, else Playwright's own, fetched once if it can be had. Skips the tests where there is neither."""
    own = Path(playwright.chromium.executable_path)
    if SYSTEMS.exists() or own.exists():
        return SYSTEMS if SYSTEMS.exists() else own
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, capture_output=True, timeout=INSTALL_S, check=False)
    if not own.exists():
        pytest.skip("needs Chromium: apt-get install chromium")
    return own


class Guard:
    """Every console error, policy violation and foreign request of a page, as it happens."""

    def __init__(self, page: Page, host: str) -> None:
        self.host = host
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        page.on("request", self._request)
        page.on(
            "response", lambda answer: answer.status >= 500 and self.complaints.append(f"{answer.status} {answer.url}")
        )

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console {message.type}: {message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != self.host:
            self.complaints.append(f"left the server: {request.url}")


def accessibility_faults(page: Page, *, but: str = "") -> list[str]:
    """What axe-core finds moderate or worse on the page as it stands; `but`: an impact that is let pass."""
    # Without preload axe fetches no style sheets by itself, which the policy would rightly refuse.
    found = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {node['html'][:160]}"
        for rule in found
        if rule["impact"] in FAULTS - {but}
        for node in rule["nodes"]
    ]


def look_again_and_again(page: Page) -> None:
    """From now on the page asks for news as when a reader comes back to it, not only each 3 to 15 s."""
    page.evaluate("setInterval(() => document.dispatchEvent(new Event('visibilitychange')), 300)")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_of(playwright), args=FLAGS)
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs its loop in the tests' own thread
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    size = {"width": 1366, "height": 850}
    # what breathes would be drawn anew sixty times a second
    context = browser.new_context(base_url=live_server.url, viewport=size, reduced_motion="reduce")  # type: ignore[arg-type]
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, live_server: LiveServer) -> Iterator[Page]:
    """A page whose test fails if it complained about anything."""
    page = context.new_page()
    page.set_default_timeout(15_000)
    guard = Guard(page, urlsplit(live_server.url).netloc)
    yield page
    page.close()
    assert not guard.complaints, "\n".join(guard.complaints)


@pytest.fixture
def signed_in(page: Page, client, transactional_db: None) -> Page:
    """A page with a superuser's session."""
    from django.contrib.auth.models import User

    client.force_login(User.objects.create_superuser("nora"))
    cookie = client.cookies["sessionid"]
    page.context.add_cookies([{"name": "sessionid", "value": cookie.value, "domain": "localhost", "path": "/"}])
    return page
