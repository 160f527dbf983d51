"""A real browser, started once for all of these tests."""

from __future__ import annotations

import os
import shutil

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from tests.browser.looking import Browser

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A phone's browser. Without one the tests are skipped, or fail where
    RECENT_SYNC_REQUIRE_BROWSER=1 says that a run is meant to prove something.
    """
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which("chromedriver")
    if program is None or driver is None:
        _without("there is no Chromium (Debian: chromium, chromium-driver)")
    options = ChromeOptions()
    options.binary_location = program
    for flag in (*QUIET, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.page_load_strategy = "normal"
    try:
        # Told where both programs are, Selenium looks for none in the network.
        chrome = Chrome(options=options, service=ChromeService(executable_path=driver))
    except WebDriverException as error:
        _without(f"Chromium does not start: {error.msg}")
    try:
        chrome.set_page_load_timeout(30)
        chrome.set_script_timeout(30)
        yield Browser(chrome)
    finally:
        chrome.quit()


def _without(reason):
    if os.environ.get("RECENT_SYNC_REQUIRE_BROWSER") == "1":
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"no page was looked at: {reason}")
