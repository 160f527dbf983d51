"""Which differences of an audit's page are misses, without a database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.digest import digest
from connectors.records import Record
from tests.engine.shop import START
from tests.engine.test_runs import product
from workers.engine.ledger import LinkRow
from workers.engine.misses import Change, demotion, misses

BEFORE = START + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def record(number: int = 1, *, stamp=START) -> Record:
    return Record(str(number), stamp, product(number))


def link(number: int, state: str = "applied", **known) -> LinkRow:
    made = digest(product(number))
    known = {"digest": made.whole, "fields": made.fields, **known}
    return LinkRow("1", "t1", state, known["digest"], known["fields"], None, None, False)


def judged(one: Record, known: LinkRow | None, **also) -> list[Change]:
    links = {} if known is None else {one.id: known}
    found = misses([one], links, **{"before": BEFORE, "complete": True, **also})
    return [each.change for each in found]


def test_record_as_it_was_applied_is_no_miss() -> None:
    assert judged(record(), link(1)) == []


def test_other_content_under_an_old_stamp_is_a_silent_change() -> None:
    assert judged(record(), link(2)) == [Change.SILENT]
    assert judged(record(stamp=BEFORE - SECOND), link(2)) == [Change.SILENT]
    assert judged(record(stamp=None), link(2)) == [Change.SILENT]


@pytest.mark.parametrize("later", [timedelta(0), SECOND, timedelta(days=900)])
def test_stamp_from_where_the_next_window_begins_is_left_to_it(later: timedelta) -> None:
    assert judged(record(stamp=BEFORE + later), link(2)) == []
    assert judged(record(stamp=BEFORE + later), None) == []


def test_unknown_record_is_a_miss_where_everything_ought_to_be_known() -> None:
    assert judged(record(), None) == [Change.UNSEEN]
    assert judged(record(), None, complete=False) == []


def test_what_is_known_to_be_wrong_or_unclear_is_no_miss() -> None:
    assert judged(record(), link(2), held_back={"1"}) == []
    assert judged(record(), None, held_back={"1"}) == []
    assert judged(record(), link(2, "intent")) == []
    assert judged(record(), link(2, digest=None, fields=None)) == []


def test_ledger_of_a_release_with_other_fields_proves_nothing() -> None:
    assert judged(record(), link(2, fields=b"12345678")) == []


def test_evidence_names_records_and_bounds_and_no_content() -> None:
    records = [record(n) for n in range(30)]
    found = misses(records, {}, before=BEFORE, complete=True)
    why = demotion(found, since="earlier", until="later")
    assert (why.reason, why.evidence["missed"], len(why.evidence["records"])) == (
        "never_shown",
        30,
        10,
    )
    assert why.evidence["window"] == {"since": "earlier", "until": "later"}
    assert "Product" not in repr(why) + repr(why.evidence)
