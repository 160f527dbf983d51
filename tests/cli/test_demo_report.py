"""When the demo calls the new shop ready."""

import io

import pytest
from rich.console import Console

from app.cli.demo.report import Report, StreamResult

COUNTERS = {"read": 5, "created": 3, "updated": 1, "unchanged": 1, "quarantined": 0}


def finished(status="succeeded", **members):
    return {
        "id": "7f3f7a52-2f5e-4a3e-bb0e-0f7f5c3e9a33",
        "kind": "recent",
        "params": {"cutover": True},
        "status": status,
        "counters": {"orders": COUNTERS},
        "totals": COUNTERS,
        "requests": 9,
        "throttled": 0,
        "error": None,
        **members,
    }


def perfect():
    report = Report(streams={"orders": StreamResult(compared=5)}, seconds=75)
    report.add_job(finished(), final=True)
    return report


def test_zeros_everywhere_are_ready():
    report = perfect()

    assert report.verdict == "ready"
    assert "all 5 records are there exactly once" in report.sentence()


@pytest.mark.parametrize("flaw", ["missing", "wrong", "doubled"])
def test_a_record_that_differs_is_not_ready(flaw):
    report = perfect()
    setattr(report.streams["orders"], flaw, 1)

    assert report.verdict == "not_ready"
    assert report.document()[flaw] == 1
    assert f"1 records {flaw}" in report.sentence()


@pytest.mark.parametrize("flaw", ["mails", "double_deductions", "duplicates", "writes_after"])
def test_a_side_effect_is_not_ready(flaw):
    report = perfect()
    setattr(report, flaw, 2)

    assert report.verdict == "not_ready"
    assert report.document()[flaw] == 2
    assert "NOT ready: 2 " in report.sentence()


def test_nothing_compared_proves_nothing():
    report = Report()
    report.add_job(finished(), final=True)

    assert report.verdict == "not_ready"
    assert "nothing was compared" in report.sentence()


def test_a_last_run_with_errors_is_not_ready():
    report = perfect()
    report.add_job(finished("completed_with_errors"), final=True)

    assert report.verdict == "not_ready"


def test_a_record_that_waited_while_the_shop_sold_does_not_matter():
    report = perfect()
    report.add_job(finished("completed_with_errors"), final=False)

    assert report.verdict == "ready"


def test_a_failed_run_always_matters_and_says_why():
    report = perfect()
    error = {"code": "x", "message": "The store is gone"}
    report.add_job(finished("failed", error=error), final=False)

    assert report.verdict == "not_ready"
    assert "The store is gone" in report.sentence()


def test_work_is_added_up_over_the_jobs():
    report = perfect()
    report.add_job(finished(), final=True)

    assert report.document()["streams"]["orders"]["created"] == 6
    assert len(report.document()["jobs"]) == 2


def test_the_closing_table_fits_a_terminal_and_names_every_count():
    report = perfect()
    report.streams["orders"].losses["created_at"] = 4
    report.streams["orders"].read = 123_456
    console = Console(file=io.StringIO(), width=80)

    console.print(report.render())

    text = console.file.getvalue()
    for word in ("read", "created", "updated", "unchanged", "missing", "wrong", "doubled"):
        assert word in text
    assert "123,456" in text
    assert "1m 15s" in text
    assert "declared losses, orders: created_at (4)" in text
