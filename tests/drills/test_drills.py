"""Drills by seed: they end well, they can be played again, and what is broken on purpose shows."""

from __future__ import annotations

import json

import pytest

from app.cli.main import main
from drills.command import play_seed

SEEDS = (1, 2, 4)
MINUTES = 5.0


@pytest.mark.parametrize("seed", SEEDS)
def test_seed_ends_with_nothing_missing_wrong_doubled_or_overwritten(
    drill_url: str, seed: int
) -> None:
    outcome, naive_wrong = play_seed(drill_url, seed, minutes=MINUTES)
    assert outcome.verdict.findings == []
    assert len(outcome.course) > 300
    assert naive_wrong > 0


def test_seed_ends_as_well_where_both_shops_have_the_add_on(drill_url: str) -> None:
    outcome, _ = play_seed(drill_url, 3, minutes=MINUTES, addon=True)
    assert outcome.verdict.findings == []


def test_seed_is_played_again_step_by_step(drill_url: str) -> None:
    first, again = (play_seed(drill_url, 3, minutes=MINUTES) for _ in range(2))
    assert first[0].course == again[0].course
    assert first[1] == again[1]


def test_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--seed", "1", "--minutes", "1", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {name: printed[name] for name in ("missing", "wrong", "doubled", "overwritten")} == {
        "missing": 0,
        "wrong": 0,
        "doubled": 0,
        "overwritten": 0,
    }
    assert (printed["seeds"], printed["failed"]) == (1, [])
    assert printed["seconds"] > 0
    assert "naive_wrong" in printed


def test_wrong_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", "--seed", "1", "--seeds", "3"]) == 2
    assert "exclude each other" in capsys.readouterr().err
