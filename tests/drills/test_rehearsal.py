"""What a rehearsal says of what it played. That it is played at all, `make rehearsal` shows."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from app.catalogue import CATALOGUE
from app.cli.main import program
from drills.rehearsal.plants import PLANTS
from drills.rehearsal.report import PIPELINE, Plant, Report

GOOD = {
    "parts": ("launch", "faults", "adoption", "forecast"),
    "pipeline_exit_codes": list(PIPELINE),
    "plants": [Plant("price of before", "data.money", ["data.money"])],
    "estimate_error": 0.01,
    "freeze_covered": 5,
    "freeze_errors": [0.1, 0.2, 0.5, 0.1, 0.05],
}


def test_all_that_is_asked_for_makes_a_good_rehearsal():
    report = Report(**GOOD)
    assert report.is_good
    document = report.document()
    assert document["pipeline_exit_codes"] == [1, 1, 0, 1]
    assert (document["planted_found"], document["planted_total"]) == (1, 1)
    assert document["freeze_median_error"] == 0.1


@pytest.mark.parametrize(
    "wrong",
    [
        {"pipeline_exit_codes": [1, 0, 0, 1]},
        {"plants": []},
        {"plants": [Plant("mail sent", "effects.mails", [])]},
        {"plants": [Plant("mail sent", "effects.mails", ["effects.mails"], ["data.money"])]},
        {"clean_alarms": ["data.money"]},
        {"adopted_wrong": 1},
        {"adopted_missed": 1},
        {"created_doubled": 1},
        {"estimate_error": 0.03},
        {"freeze_covered": 4},
        {"freeze_errors": [0.4, 0.5, 0.5, 0.1, 0.05]},
        {"freeze_covered": 4, "freeze_errors": [0.1, 0.1, 0.1, 0.1]},
    ],
)
def test_one_thing_that_is_wrong_spoils_it(wrong):
    assert not Report(**{**GOOD, **wrong}).is_good


def test_what_was_not_played_says_nothing():
    report = Report(parts=("adoption",))
    assert report.is_good
    assert [name for name, _, _ in report.rows()] == [
        "adopted wrong",
        "adopted missed",
        "created doubled",
    ]


def test_twenty_one_faults_are_planted_each_for_a_check_that_there_is():
    assert len(PLANTS) == 20
    assert len({each.name for each in PLANTS}) == 20
    for each in PLANTS:
        assert {each.expected, *each.related} <= CATALOGUE.keys(), each.name


def test_a_part_that_there_is_not_is_wrong_use():
    outcome = CliRunner().invoke(program, ["rehearsal", "--part", "parade"])
    assert outcome.exit_code != 0
