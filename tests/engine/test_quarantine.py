"""What could not be applied is tried again when there is a reason to, and is never forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from connectors.errors import BadAnswer
from connectors.records import Stream
from tests.engine.conftest import Bench
from tests.engine.shop import FakeStore, contents
from tests.engine.test_failpoints import survive
from tests.engine.test_runs import customer
from workers.engine import failpoints
from workers.engine.attempts import (
    NOT_UNDERSTOOD,
    REFERENCE_MISSING,
    TARGET_GONE,
    Standing,
    attempt,
)

EAGER = {
    "full": ("full", {}),
    "cutover": ("recent", {"cutover": True}),
    "retry": ("recent", {"options": {"only": "quarantine"}}),
}


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    yield
    failpoints.arm("")


async def change(bench: Bench, sql: str, **values: Any) -> None:
    async with bench.resources.engine.begin() as connection:
        await connection.execute(text(sql), values)


async def pass_time(bench: Bench) -> None:
    """Until whatever has a time to be tried at is due."""
    await change(bench, "UPDATE quarantine SET next_at = clock_timestamp() WHERE next_at > now()")


async def entry(bench: Bench, source_id: str) -> dict[str, Any]:
    """The record's row, `pause` being the seconds until it is tried again."""
    [found] = await bench.rows(
        "SELECT *, extract(epoch FROM next_at - clock_timestamp())::float8 AS pause"
        " FROM quarantine WHERE source_id = :id",
        id=source_id,
    )
    return found


async def refuse_one(bench: Bench) -> None:
    """A customer whom the target has refused once. Customers are swept, so each run reads him."""
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    bench.target.script = ["refused"]
    row = await bench.run("full")
    assert row["status"] == "completed_with_errors"
    bench.target.script = ["refused"] * 20


def sent(bench: Bench) -> int:
    """How often the target has refused since `refuse_one`."""
    return 20 - len(bench.target.script)


# --- the rules -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "first", "attempts"),
    [("invalid", 600, 8), (REFERENCE_MISSING, 1800, 6), (NOT_UNDERSTOOD, 60, 10)],
)
def test_intervals_double_and_come_to_an_end(code: str, first: float, attempts: int) -> None:
    pauses, before = [], None
    for _ in range(attempts):
        made = attempt(code, b"same", before)
        before = Standing(code, b"same", made.number, due=True, waived=False)
        pauses.append(made.pause)
    *bounded, last = pauses
    assert last is None
    longest = max(bounded)
    assert bounded == [min(first * 2**n, longest) for n in range(attempts - 1)]
    assert longest <= 12 * 3600


def test_a_taken_email_is_asked_for_once_more_at_once() -> None:
    assert attempt("email_exists", b"one", None) == (1, 0)
    before = Standing("email_exists", b"one", attempts=1, due=True, waived=False)
    assert attempt("email_exists", b"one", before) == (2, 1200)


def test_another_content_begins_anew() -> None:
    before = Standing("invalid", b"one", attempts=8, due=False, waived=False)
    assert attempt("invalid", b"one", before) == (9, None)
    assert attempt("invalid", b"other", before) == (1, 600)


def test_what_is_gone_from_the_target_is_not_made_anew_by_itself() -> None:
    assert attempt(TARGET_GONE, b"one", None) == (1, None)


@pytest.mark.parametrize(
    ("standing", "eager", "held"),
    [
        (Standing("invalid", b"x", 1, due=False, waived=False), False, True),
        (Standing("invalid", b"x", 1, due=True, waived=False), False, False),
        (Standing("invalid", b"x", 1, due=False, waived=False), True, False),
        (Standing("invalid", b"x", 1, due=False, waived=True), True, True),
        (Standing("invalid", b"y", 1, due=False, waived=True), False, False),
        (Standing("invalid", b"y", 1, due=False, waived=False), False, False),
        (Standing(TARGET_GONE, b"x", 1, due=False, waived=False), True, True),
    ],
)
def test_what_is_left_alone(standing: Standing, eager: bool, held: bool) -> None:
    assert standing.holds(b"x", eager=eager) is held


# --- intervals -----------------------------------------------------------------------------------


async def test_refused_record_is_not_sent_again_before_its_time(bench: Bench) -> None:
    await refuse_one(bench)
    first = await entry(bench, "u1")
    assert (first["attempts"], first["code"], first["request_id"]) == (1, "invalid", "req-7")
    assert 500 < first["pause"] <= 600
    row = await bench.run("recent")
    assert row["status"] == "completed_with_errors", "it is still open"
    assert sent(bench) == 0
    assert (await bench.counters(row["id"]))["held_back"] == 1
    assert (await entry(bench, "u1"))["attempts"] == 1


async def test_intervals_grow_until_nothing_is_tried_by_itself(bench: Bench) -> None:
    await refuse_one(bench)
    pauses = []
    for _ in range(7):
        await pass_time(bench)
        await bench.run("recent", streams=["customers"])
        pauses.append((await entry(bench, "u1"))["pause"])
    assert pauses[-1] is None
    minutes = [round(each / 60) for each in pauses[:-1]]
    assert minutes == [20, 40, 80, 160, 320, 640]
    tried = sent(bench)
    await pass_time(bench)
    row = await bench.run("recent", streams=["customers"])
    assert (sent(bench), row["status"]) == (tried, "completed_with_errors")
    assert (await entry(bench, "u1"))["attempts"] == 8


async def test_changed_content_is_tried_at_once_whatever_went_before(bench: Bench) -> None:
    await refuse_one(bench)
    await change(bench, "UPDATE quarantine SET attempts = 8, next_at = NULL")
    bench.source.change_silently(Stream.CUSTOMERS, "u1", first_name="B")
    await bench.run("recent")
    again = await entry(bench, "u1")
    assert (sent(bench), again["attempts"]) == (1, 1)
    assert 500 < again["pause"] <= 600
    bench.target.script = []
    bench.source.change_silently(Stream.CUSTOMERS, "u1", first_name="C")
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    closed = await entry(bench, "u1")
    assert (closed["status"], closed["next_at"]) == ("resolved", None)


async def test_record_refused_again_after_it_was_right_counts_from_one(bench: Bench) -> None:
    await refuse_one(bench)
    first = await entry(bench, "u1")
    bench.target.script = []
    await bench.run("recent", options={"only": "quarantine"})
    bench.target.script = ["refused"]
    bench.source.change_silently(Stream.CUSTOMERS, "u1", first_name="B")
    await bench.run("recent")
    again = await entry(bench, "u1")
    assert (again["status"], again["attempts"]) == ("open", 1)
    assert again["first_at"] > first["first_at"]


@pytest.mark.parametrize("name", EAGER)
async def test_some_runs_try_everything_that_is_open(bench: Bench, name: str) -> None:
    await refuse_one(bench)
    await change(bench, "UPDATE quarantine SET attempts = 8, next_at = NULL")
    bench.target.script = []
    kind, params = EAGER[name]
    row = await bench.run(kind, **params)
    assert row["status"] == "succeeded"
    assert bench.target.creates() == [(Stream.CUSTOMERS, "u1")]
    assert (await entry(bench, "u1"))["status"] == "resolved"


async def test_crash_before_a_refusal_is_committed_counts_one_attempt(bench: Bench) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    bench.source.put(Stream.CUSTOMERS, "u2", customer(2))
    bench.target.script = ["refused", "applied", "refused"]
    failpoints.arm("after_answer=crash")
    job = await bench.start("full", streams=["customers"])
    assert await survive(bench, job) == 1
    assert bench.target.script == [], "it was refused once more by the worker that came after"
    kept = await entry(bench, "u1")
    assert (kept["attempts"], kept["status"], kept["request_id"]) == (1, "open", "req-7")
    assert bench.target.creates() == [(Stream.CUSTOMERS, "u2")]


async def test_record_that_is_no_record_does_not_hold_others_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (1, 2):
        bench.source.put(Stream.CUSTOMERS, f"u{n}", customer(n))
    bench.target.script = ["refused", "refused"]
    await bench.run("full")
    get = FakeStore.get

    async def torn(self: FakeStore, stream: Stream, ids: Any) -> Any:
        if self.shop is bench.source and "u1" in ids:
            raise BadAnswer("no email", code="record_unmappable")
        return await get(self, stream, ids)

    monkeypatch.setattr(FakeStore, "get", torn)
    row = await bench.run("recent", options={"only": "quarantine"})
    assert (row["status"], row["error"]) == ("completed_with_errors", None)
    assert bench.target.creates() == [(Stream.CUSTOMERS, "u2")]
    kept = await entry(bench, "u1")
    assert (kept["code"], kept["digest"], kept["attempts"]) == (NOT_UNDERSTOOD, None, 1)


async def test_record_that_is_gone_from_the_target_comes_back_when_everything_is_tried(
    bench: Bench,
) -> None:
    bench.source.put(Stream.CUSTOMERS, "u1", customer(1))
    await bench.run("full")
    bench.target.rows[Stream.CUSTOMERS].clear()
    bench.source.change_silently(Stream.CUSTOMERS, "u1", first_name="B")
    await bench.run("recent")
    await bench.run("recent")
    kept = await entry(bench, "u1")
    assert (kept["code"], kept["attempts"], kept["next_at"]) == (TARGET_GONE, 1, None)
    assert bench.target.rows[Stream.CUSTOMERS] == {}
    row = await bench.run("full")
    assert row["status"] == "succeeded"
    [made] = contents(bench.target, Stream.CUSTOMERS)
    assert made == replace(customer(1), first_name="B")


async def test_create_that_nobody_confirmed_is_looked_up_though_it_is_not_due(bench: Bench) -> None:
    await refuse_one(bench)
    bench.target.script = ["lost"]
    failpoints.arm("after_write=crash")
    job = await bench.start("recent", options={"only": "quarantine"})
    for _ in range(50):
        try:
            await bench.turn()
        except failpoints.Crash:
            break
    await bench.lapse()
    await change(bench, "UPDATE jobs SET cancel_requested_at = now() WHERE id = :id", id=job)
    await bench.finish(job)
    assert (await entry(bench, "u1"))["status"] == "open"
    row = await bench.run("recent")
    assert row["status"] == "succeeded"
    assert bench.target.creates() == [(Stream.CUSTOMERS, "u1")]


# --- waiving -------------------------------------------------------------------------------------


async def waive(bench: Bench) -> None:
    await change(
        bench,
        "UPDATE quarantine SET status = 'waived', waived_by = 'tester', waived_reason = 'A test.',"
        " waived_at = now(), next_at = NULL",
    )


@pytest.mark.parametrize("name", ["recent", *EAGER])
async def test_waived_record_is_left_alone_by_every_run(bench: Bench, name: str) -> None:
    await refuse_one(bench)
    await waive(bench)
    kind, params = EAGER.get(name, ("recent", {}))
    row = await bench.run(kind, **params)
    assert (row["status"], sent(bench)) == ("succeeded", 0)
    kept = await entry(bench, "u1")
    assert (kept["status"], kept["waived_reason"], kept["attempts"]) == ("waived", "A test.", 1)


async def test_waiver_holds_for_the_content_that_was_refused(bench: Bench) -> None:
    await refuse_one(bench)
    await waive(bench)
    bench.source.change_silently(Stream.CUSTOMERS, "u1", first_name="B")
    row = await bench.run("recent")
    assert (row["status"], sent(bench)) == ("completed_with_errors", 1)
    opened = await entry(bench, "u1")
    assert (opened["status"], opened["attempts"]) == ("open", 1)
    assert (opened["waived_by"], opened["waived_reason"]) == ("tester", "A test.")
    assert opened["pause"] > 0
