"""What people read: moments, empty lists, and how a job goes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console

from app.cli import display
from app.cli.display import say, say_counts
from app.cli.progress import describe


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("2026-11-27T18:00:05.123456Z", "2026-11-27T18:00:05Z"),
        ("2026-11-27T18:00:05+00:00", "2026-11-27T18:00:05Z"),
        ("2026-11-27T18:00:05+01:00", "2026-11-27T18:00:05+01:00"),
        (datetime(2026, 11, 27, 18, 0, 5, 9, UTC), "2026-11-27T18:00:05Z"),
        ("Mug of 2026-11-27T18:00:05.1Z", "Mug of 2026-11-27T18:00:05.1Z"),
        ("", ""),
    ],
)
def test_moments_are_said_to_the_second_and_as_options_take_them(value, said):
    assert say(value) == said


def test_counts_are_words():
    assert say_counts({"made": 1200, "kept": 1}) == "made 1,200, kept 1"
    assert say(say_counts({})) == "-"


def test_an_empty_list_is_a_word_and_no_frame(service, run):
    service.answers["GET /v1/stores"] = (200, {"items": [], "next": None})
    assert run("store", "list").out == "Nothing to list.\n"
    assert run("store", "list", "--json").document == []


@pytest.mark.parametrize(
    ("kind", "progress", "words"),
    [
        ("full", {"stream": "orders", "read": 10, "total": 20}, "orders, 10 of 20 records"),
        ("full", {"stream": "orders", "read": 21, "total": 20}, "orders, 21 records"),
        ("full", {"stream": None, "read": 0, "total": None}, "preparing, 0 records"),
        ("full", {"stream": None, "read": 9, "total": 9}, "finishing, 9 of 9 records"),
        ("verify", {"stream": None, "read": 0, "total": None}, "checking"),
    ],
)
def test_a_running_job_says_what_it_does(job, kind, progress, words):
    assert describe(job("running", kind=kind, progress=progress)) == words


def test_what_is_copied_is_never_broken(monkeypatch, capsys):
    narrow = Console(width=20, highlight=False, force_terminal=True, color_system=None)
    monkeypatch.setattr(display, "results", narrow)
    display.print_whole("export RECENT_SYNC_API_KEY=rs_0123456789_a-secret-of-this-test")
    assert capsys.readouterr().out.count("\n") == 1
    display.print_line("export RECENT_SYNC_API_KEY=rs_0123456789_a-secret-of-this-test")
    assert capsys.readouterr().out.count("\n") > 1
