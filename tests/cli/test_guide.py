"""`recent-sync guide`: the platform guide says what the connectors say."""

from pathlib import Path

from app.guide import own_connectors, page, pages
from connectors.base import Connector
from connectors.forms import fields
from tests.service.paper import press

COMMITTED = Path(__file__).parents[2] / "docs/platforms"


def test_the_committed_guide_is_what_the_connectors_say():
    there = {file.name: file.read_text(encoding="utf-8") for file in COMMITTED.glob("*.md")}
    assert there == pages(own_connectors())


def test_it_is_written_and_compared(run, tmp_path):
    folder = str(tmp_path / "guide")

    assert run("guide", folder, "--check").code == 1
    assert run("guide", folder).code == 0
    assert run("guide", folder, "--check").code == 0
    (tmp_path / "guide" / "woocommerce.md").write_text("something else")
    outcome = run("guide", folder, "--check")

    assert outcome.code == 1
    assert "woocommerce.md" in outcome.err


def test_a_page_that_belongs_to_no_connector_is_told(run, tmp_path):
    run("guide", str(tmp_path))
    (tmp_path / "magento.md").write_text("# Magento")

    assert "magento.md" in run("guide", str(tmp_path), "--check").err


def test_one_page_is_printed_of_any_connector_that_is_installed(run):
    assert run("guide", "--platform", "postgres").out.splitlines()[2] == "# PostgreSQL"
    assert run("guide", "--platform", "nowhere").code == 2


def test_nothing_that_a_connector_says_is_missing():
    for connector in own_connectors():
        text = page(connector)
        for sentence in said(connector):
            assert sentence in text, sentence


def said(connector: Connector):
    """Every sentence of a connector."""
    yield from connector.steps
    for permission in connector.permissions:
        yield from (permission.name, permission.purpose)
    for model in (connector.settings, connector.credentials):
        for field in fields(model):
            yield from (f"`{field.name}`", field.help)
    for reads in connector.reads.values():
        yield from (*reads.blind_spots, *reads.moves, reads.ties, reads.horizon_risk)
    for writes in connector.writes.values():
        yield from writes.notes
        for loss in writes.losses:
            how = "Not at all" if loss.whole else "Approximately"
            yield f"{how}: `{loss.field}`. {loss.reason}"


def test_a_platform_that_is_only_written_says_so():
    text = page(press())
    assert "can only be a target" in text
    assert "no, only reported" in text
