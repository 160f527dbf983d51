"""Our HTML pages as a browser shows them, on a phone, filled with whatever stores may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import web
from app.schemas.checks import ResultOut
from app.schemas.mapping_report import MappingReportOut
from app.schemas.readiness import ReadinessOut
from app.web.pages import page
from app.web.verdict import verdict_page
from tests.browser.looking import LEGIBLE

NASTY = "<script>document.title = 'taken'</script><img src=https://stranger.example/x>"
UNBROKEN = "gift" * 80
WORDS = f"Mug {NASTY} {UNBROKEN}"
"""A product's name, say: it wants to run, to load, and to be wider than any screen."""

# Members that hold names of the service's own, which no store can choose.
OURS = {"at", "id", "job", "orders", "state", "status", "stream", "severity", "verdict"}


def example_of(schema):
    return schema.model_config["json_schema_extra"]["examples"][0]


def filled(value, name=""):
    """An example in which each text that may come from a store or a person says `WORDS`."""
    if isinstance(value, dict):
        return {key: filled(each, key) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, name) for each in value]
    own = name in OURS or name.endswith("_at") or name == "digest"
    return WORDS if isinstance(value, str) and not own else value


def mapping_report():
    example = example_of(MappingReportOut)
    (stream,) = example["streams"]
    refusal = {"source_id": "18123", "code": "invalid", "message": "The store refuses it."}
    stream = {**stream, "refusals": [refusal], "lacking": ["products 77"], "too_large": 2}
    report = MappingReportOut.model_validate(filled({**example, "streams": [stream]}))
    return page("mapping_report", report=report)


def verdict():
    failed = example_of(ResultOut)
    waived = {
        "id": "c6d1a4de-92f4-4f0c-8f3e-8d5c1e2b7a10",
        "reason": "Agreed with accounting.",
        "author": "launch",
        "expires_at": "2026-11-28T06:00:00Z",
    }
    others = [
        {**failed, "stands_in_way": False, "waived": waived, "found": 12},
        {**failed, "stands_in_way": False, "state": "passed", "evidence": [], "found": 0},
        {**failed, "stands_in_way": False, "state": "skipped", "evidence": [], "found": 0},
    ]
    found = {
        **example_of(ReadinessOut),
        "verdict": "not_ready",
        "reasons": [{"code": "checks_failed", "message": "One check stands in the way."}],
        "checks": [failed, *others],
    }
    return verdict_page(ReadinessOut.model_validate(filled(found)).model_dump(mode="json"))


PAGES = {"mapping_report": mapping_report, "verdict": verdict}


@pytest.fixture(params=PAGES)
def file(request, tmp_path):
    """A page, written to a file as the command line does."""
    file = tmp_path / "page.html"
    file.write_text(PAGES[request.param](), encoding="utf-8")
    return file


def test_every_page_is_looked_at():
    templates = Path(web.__file__).parent.glob("*.html.jinja")
    assert {each.name.partition(".")[0] for each in templates} == {"base", *PAGES}


def test_a_page_asks_for_nothing_and_gives_no_cause_for_complaint(browser, file):
    browser.open(file)
    assert browser.asked_for() == []
    assert browser.complaints() == []


def test_text_of_stores_is_shown_and_not_carried_out(browser, file):
    browser.open(file)
    assert NASTY in browser.shown()
    assert browser.count("script, img, iframe, object, form") == 0
    assert browser.chrome.title != "taken"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible_in_light_and_in_the_dark(browser, file, scheme):
    browser.open(file, scheme=scheme)
    texts = browser.texts()
    assert len({each.element for each in texts}) > 5
    assert [each for each in texts if each.contrast < LEGIBLE] == []


def test_light_and_dark_are_two(browser, file):
    browser.open(file, scheme="light")
    light = browser.texts()
    browser.open(file, scheme="dark")
    dark = browser.texts()
    assert [each.element for each in light] == [each.element for each in dark]
    for one, other in zip(light, dark, strict=True):
        assert one.colour != other.colour
        assert one.ground != other.ground


def test_nothing_is_wider_than_a_phone(browser, file):
    browser.open(file)
    assert browser.wider() == []


def test_a_column_of_sentences_stays_wide_enough_to_read(browser, file):
    browser.open(file)
    assert browser.narrow_cells() == []


def test_a_bad_page_is_found_out(browser, tmp_path):
    """What the tests above rely on: the browser tells all of it."""
    file = tmp_path / "bad.html"
    file.write_text(
        "<!doctype html><meta name=viewport content='width=device-width'><title>bad</title>"
        "<body style='background: #fff'><p style='width: 900px; color: #ddd'>pale</p>"
        "<table style='table-layout: fixed; width: 20px'><td>so many words</table>"
        "<img src='http://127.0.0.1:9/tracker.png'><script>console.error('help')</script>"
    )
    browser.open(file)
    assert browser.asked_for() == ["http://127.0.0.1:9/tracker.png"]
    assert any("help" in each for each in browser.complaints())
    assert any("pale" in each for each in browser.wider())
    assert any(each.contrast < LEGIBLE for each in browser.texts())
    assert browser.narrow_cells() == ["so many words"]
    assert browser.count("script, img, iframe, object, form") == 2
