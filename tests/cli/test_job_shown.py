"""What the command line shows of a job that has ended."""

from __future__ import annotations

import pytest

from app.cli.watch import COUNTERS, print_job


def job(**more: int) -> dict[str, object]:
    counted = dict.fromkeys(COUNTERS, 0) | more
    return {
        "id": "7",
        "kind": "recent",
        "migration": "spring",
        "status": "succeeded",
        "counters": {"products": counted, "orders": counted},
    }


def test_what_was_put_back_is_told_beside_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_job(job(restored=2))
    assert "4 of the updated were changed on the target, and put back." in capsys.readouterr().out


def test_where_nothing_was_put_back_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_job(job(restored=0))
    shown = capsys.readouterr().out
    assert "recent of spring: succeeded (job 7)" in shown
    assert "put back" not in shown
