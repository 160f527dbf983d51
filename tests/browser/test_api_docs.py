"""The page that describes the API, as a browser shows it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from selenium.webdriver.support.wait import WebDriverWait

from app.main import create_app
from app.settings import Settings
from tests.service.serving import serving_app


@pytest.fixture(scope="module")
def address():
    """The API. The page and the description need neither database nor queue."""
    with serving_app(create_app(resources=SimpleNamespace(settings=Settings()))) as url:
        yield url


def test_the_page_shows_the_api_and_asks_nobody_else(browser, address):
    browser.visit(f"{address}/docs")
    shows = WebDriverWait(browser.chrome, 30)
    shows.until(lambda _: browser.count(".opblock-tag") > 10)
    assert "recent-sync" in browser.shown()
    assert browser.complaints() == []
    asked = [url for url in browser.asked_for() if not url.startswith("data:")]
    assert sorted({url.removeprefix(address) for url in asked}) == [
        "/docs/docs.js",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-ui.css",
        "/openapi.json",
    ]
