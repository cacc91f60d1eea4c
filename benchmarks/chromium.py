"""The system's Chromium before the product as deployed, with somebody signed in."""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import stack
from tests.browser.conftest import FLAGS, chromium_of

VIEWPORT = {"width": 1366, "height": 850}


@contextlib.contextmanager
def opened(*users: Any) -> Iterator[list[Callable[[], Any]]]:
    """For each user what makes a fresh browser with an empty cache and their session."""
    from django.test import Client
    from playwright.sync_api import sync_playwright

    cookies = []
    for user in users:
        client = Client()
        client.force_login(user)
        cookies.append(client.cookies["sessionid"].value)
    with stack.product() as address, sync_playwright() as playwright:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs its loop in this thread
        chromium = playwright.chromium.launch(executable_path=chromium_of(playwright), args=FLAGS)

        def context_of(cookie: str) -> Any:
            context = chromium.new_context(base_url=address, viewport=VIEWPORT)
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": address}])
            return context

        try:
            yield [lambda cookie=cookie: context_of(cookie) for cookie in cookies]
        finally:
            chromium.close()
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
