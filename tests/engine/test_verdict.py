"""The rules of the verdict, without a store: what it is bound to, and to the second how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.catalogue import Severity, State
from app.models import CheckResult, Waiver
from app.verdict import Basis, Reason, Rules, judge, outdated
from workers.checks.base import Findings

AT = datetime(2026, 11, 27, 18, tzinfo=UTC)
EVIDENCE: dict[str, Any] = {"message": "6.00 / 6.01", "stream": "orders", "source_id": "7"}


def basis(**members: Any) -> Basis:
    values: dict[str, Any] = {
        "job": uuid4(),
        "began_at": AT,
        "finished_at": AT,
        "watermarks": {"orders": "then"},
        "configuration": {"migration_version": 3},
        "counts": {"orders": 5},
    }
    return Basis(**values | members)


def result(**members: Any) -> CheckResult:
    values: dict[str, Any] = {
        "job_id": uuid4(),
        "check_id": "data.money",
        "position": 1,
        "state": State.FAILED,
        "severity": Severity.BLOCKER,
        "summary": "One differs.",
        "examined": 5,
        "total": 9,
        "sample": "5 of 9",
        "found": 1,
        "evidence": [EVIDENCE],
    }
    return CheckResult(**values | members)


def codes(reasons: list[Reason]) -> list[str]:
    return [each.code for each in reasons]


def asked(at: datetime, **members: Any) -> list[str]:
    known: dict[str, Any] = {
        "watermarks": {"orders": "then"},
        "configuration": {"migration_version": 3},
        "wrote": None,
        "decided": False,
        "later": [],
        "rules": Rules(valid=timedelta(minutes=30)),
    }
    return codes(outdated(basis(), at=at, **known | members))


def test_it_holds_to_the_last_moment_and_not_one_longer() -> None:
    until = AT + timedelta(minutes=30)
    assert asked(until - timedelta(microseconds=1)) == []
    assert asked(until) == ["expired"]


def test_each_reason_has_a_code_of_its_own() -> None:
    later = judge([result()], [], Rules(), AT)
    assert asked(AT, wrote="adopt", decided=True, later=later) == [
        "written_since",
        "decided_since",
        "failed_since",
    ]
    assert asked(AT, configuration={"migration_version": 4}, watermarks={}) == [
        "configuration_changed",
        "watermarks_moved",
    ]
    assert asked(AT, later=judge([result(state=State.PASSED)], [], Rules(), AT)) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"state": State.PASSED},
        {"severity": Severity.WARNING},
        {"summary": "Two differ."},
        {"examined": 4},
        {"total": 8},
        {"sample": "4 of 9"},
        {"found": 2},
        {"evidence": [EVIDENCE | {"source_id": "8"}]},
        {"check_id": "data.ids"},
    ],
)
def test_the_digest_binds_all_that_a_check_said(changed: dict[str, Any]) -> None:
    one = basis()
    assert one.digest([result()]) == one.digest([result(seconds=9.0)])
    assert one.digest([result()]) != one.digest([result(**changed)])


def test_the_digest_binds_what_it_was_true_for() -> None:
    found = {
        each.digest([result()])
        for each in (
            basis(),
            basis(watermarks={}),
            basis(configuration={}),
            basis(counts={"orders": 6}),
        )
    }
    assert len(found) == 4
    assert basis().digest([]) != basis().digest([result()])


@pytest.mark.parametrize(
    ("records", "excused"),
    [
        (["7"], True),
        (["orders/7"], True),
        (["products/7"], False),
        (["70"], False),  # the target's id of it, and of another record the source's
        ([], True),
    ],
)
def test_a_waiver_excuses_what_it_names(records: list[str], excused: bool) -> None:
    evidence = [EVIDENCE | {"target_id": "70"}]
    waiver = Waiver(
        migration_id=uuid4(),
        check_id="data.money",
        reason="Agreed.",
        author="launch",
        records=records,
        expires_at=AT + timedelta(seconds=1),
    )
    [now] = judge([result(evidence=evidence)], [waiver], Rules(), AT)
    assert now.stands_in_way is not excused
    [later] = judge([result(evidence=evidence)], [waiver], Rules(), AT + timedelta(seconds=1))
    assert later.stands_in_way


def test_braces_in_what_a_store_says_are_its_own() -> None:
    found = Findings()
    found.looked_at(2, 2)
    outcome = found.outcome("Of {examined} none. The store says: {} {x} {found", "Never.")
    assert outcome.summary == "Of 2 none. The store says: {} {x} {found"
