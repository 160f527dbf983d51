"""Retry, waiting and the meaning of failures, against a store of a few lines."""

from __future__ import annotations

import asyncio
import itertools
import logging
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import msgspec
import pytest

from connectors.budget import LocalBudget
from connectors.concurrency import Concurrency, read_ahead, together
from connectors.errors import BadAnswer, SignInAgain, TryLater, Unreachable
from connectors.http import Answer, Patience, StoreHttp, retry_after
from connectors.permit import permitted_by
from connectors.readings import graphql_cost

NOW = datetime(2026, 3, 29, 0, 59, 58, tzinfo=UTC)
Reply = httpx.Response | Exception


_numbers = itertools.count(1)


class Script:
    """Answers one reply after the other; the last one for ever. Notes what was asked and slept."""

    def __init__(self, *replies: Reply | Callable[[httpx.Request], Reply]) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self.number = next(_numbers)
        self.budget = LocalBudget(clock=lambda: sum(self.slept))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        found = reply if isinstance(reply, httpx.Response | Exception) else reply(request)
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, headers=found.headers, content=found.content)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def http(self, **options: Any) -> StoreHttp:
        return StoreHttp(
            f"https://script-{self.number}.test/shop",
            transport=httpx.MockTransport(self),
            sleep=self.sleep,
            budgets=lambda _: self.budget,
            **options,
        )

    async def ask(self, method: str = "GET", path: str = "/x", **options: Any) -> Any:
        body = options.pop("body", b"{}" if method != "GET" else None)
        query = options.pop("query", None)
        async with self.http(**options) as http:
            return await http.request(method, path, body=body, query=query, decode=as_json)


def as_json(answer: Answer) -> Any:
    return msgspec.json.decode(answer.body)


def ok(body: str = '{"ok": 1}', status: int = 200, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=body.encode())


async def test_an_answer_is_decoded_and_its_date_is_the_stores_clock():
    script = Script(ok(date=format_datetime(NOW, usegmt=True)))
    async with script.http() as http:
        assert http.server_now is None
        assert await http.request("GET", "/x", decode=as_json) == {"ok": 1}
        assert http.server_date == NOW
        assert http.server_now is not None
        assert NOW <= http.server_now < NOW + timedelta(seconds=5)
        assert http.stats.requests == 1


async def test_a_byte_order_mark_before_json_is_no_obstacle():
    assert await Script(ok("\ufeff[1]")).ask() == [1]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("3", 3.0),
        (" 120 ", 120.0),
        ("2.5", 2.5),
        ("-4", 0.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("soon", None),
        ("", None),
        ("nan", None),
    ],
)
def test_retry_after_is_read_as_number_and_as_date(header: str, seconds: float | None):
    assert retry_after(header, NOW) == seconds


async def test_the_stores_wish_is_waited_for_as_long_as_it_is_short():
    script = Script(ok(status=429, retry_after="3"), ok())
    assert await script.ask() == {"ok": 1}
    assert script.slept[0] == 3.0


async def test_a_wish_given_as_a_date_counts_from_the_stores_own_clock():
    wish = format_datetime(NOW + timedelta(seconds=4), usegmt=True)
    script = Script(ok(status=429, retry_after=wish, date=format_datetime(NOW, usegmt=True)), ok())
    await script.ask()
    assert script.slept[0] == pytest.approx(4.0)


async def test_without_a_wish_the_waits_grow():
    script = Script(ok(status=429), ok(status=429), ok(status=429), ok())
    await script.ask()
    assert len(script.slept) == 3
    assert 0.1 < script.slept[0] <= 0.25
    assert 0.5 <= script.slept[2] <= 1.0


async def test_a_day_is_not_waited_for_and_reported_as_such():
    script = Script(ok(status=429, retry_after="86400"))
    with pytest.raises(TryLater) as caught:
        await script.ask()
    assert caught.value.after == 86_400.0
    assert caught.value.code == "store_limits"
    assert script.slept == []
    assert len(script.requests) == 1


async def test_a_year_is_reported_as_a_day():
    with pytest.raises(TryLater) as caught:
        await Script(ok(status=429, retry_after="31536000")).ask()
    assert caught.value.after == 86_400.0


async def test_a_store_out_of_order_is_asked_again_within_a_quarter_of_an_hour():
    with pytest.raises(TryLater) as caught:
        await Script(ok(status=503, retry_after="86400")).ask()
    assert caught.value.after == 900.0
    assert caught.value.code == "store_unavailable"


async def test_patience_ends():
    script = Script(ok(status=429))
    with pytest.raises(TryLater):
        await script.ask(patience=Patience(attempts=3))
    assert len(script.requests) == 3


async def test_a_throttled_write_is_repeated_because_it_was_not_applied():
    script = Script(ok(status=429, retry_after="1"), ok())
    assert await script.ask("POST") == {"ok": 1}
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (ok(status=500), "store_server_error"),
        (ok(status=502), "store_gateway_error"),
        (ok(status=503, retry_after="1"), "store_unavailable"),
        (httpx.ReadTimeout("x"), "store_timeout"),
        (httpx.RemoteProtocolError("x"), "store_cut_off"),
        (ok("<html>"), "store_not_json"),
        (ok('{"ok": '), "store_not_json"),
    ],
)
async def test_reading_is_repeated_and_a_write_that_may_have_happened_is_not(failure, code):
    reading = Script(failure, ok())
    assert await reading.ask() == {"ok": 1}
    writing = Script(failure, ok())
    with pytest.raises((Unreachable, BadAnswer)) as caught:
        await writing.ask("POST")
    assert caught.value.code == code
    assert len(writing.requests) == 1


async def test_a_connection_that_never_stood_is_tried_again_even_for_a_write():
    script = Script(httpx.ConnectError("x"), httpx.ConnectTimeout("x"), ok())
    assert await script.ask("POST") == {"ok": 1}


async def test_nobody_there_is_unreachable():
    with pytest.raises(Unreachable) as caught:
        await Script(httpx.ConnectError("all attempts failed")).ask()
    assert caught.value.code == "store_unreachable"


async def test_a_bad_certificate_is_told_apart_and_not_tried_again():
    def refuse(_: httpx.Request) -> Exception:
        error = httpx.ConnectError("handshake")
        error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
        return error

    script = Script(refuse)
    with pytest.raises(Unreachable) as caught:
        await script.ask()
    assert caught.value.code == "store_tls_error"
    assert len(script.requests) == 1


@pytest.mark.parametrize("status", [401, 403])
async def test_a_closed_door_is_not_knocked_at_twice(status: int):
    script = Script(ok(status=status))
    with pytest.raises(SignInAgain):
        await script.ask()
    assert len(script.requests) == 1


async def test_a_redirect_is_not_followed_with_our_credentials():
    script = Script(ok(status=301, location="https://elsewhere.test/x?token=geheim"))
    with pytest.raises(BadAnswer) as caught:
        await script.ask(auth=httpx.BasicAuth("ck", "cs"))
    assert caught.value.code == "store_redirects"
    assert "elsewhere.test" in caught.value.message
    assert "geheim" not in caught.value.message
    assert [request.url.host for request in script.requests] == [script.requests[0].url.host]


async def test_an_endless_answer_is_cut_off():
    with pytest.raises(BadAnswer) as caught:
        await Script(ok("[" + "1," * 5000 + "1]")).ask(max_bytes=1000)
    assert caught.value.code == "store_answer_too_large"


async def test_a_slow_drip_ends_with_the_timeout():
    async def drip():
        while True:
            await asyncio.sleep(0.02)
            yield b" "

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=drip()))
    http = StoreHttp(
        "https://drip.test", transport=transport, timeout=0.1, patience=Patience(attempts=1)
    )
    async with http:
        with pytest.raises(Unreachable) as caught:
            await http.request("GET", "/x", decode=as_json)
    assert caught.value.code == "store_timeout"


async def test_no_failure_tells_a_secret(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    secret = "cs_0123456789"
    failures: list[Reply] = [
        ok(f"<html>{secret}"),
        ok(f'{{"{secret}'),
        ok(secret, status=401),
        ok(secret, status=500),
        ok(status=302, location=f"https://x.test/?s={secret}"),
        httpx.ReadTimeout(f"https://x.test/?s={secret}"),
        httpx.ConnectError(secret),
    ]
    for failure in failures:
        with pytest.raises((TryLater, BadAnswer, SignInAgain)) as caught:
            await Script(failure).ask(
                auth=httpx.BasicAuth("ck", secret), query={"email": "ann@example.test"}
            )
        assert secret not in str(caught.value)
        assert caught.value.__cause__ is None
    await Script(ok()).ask(query={"oauth_signature": secret, "email": "ann@example.test"})
    assert secret not in caplog.text
    assert "ann@example.test" not in caplog.text


# --- how many at once ----------------------------------------------------------------------------


async def test_good_answers_allow_more_at_once_and_throttling_halves():
    limit = Concurrency(start=4, most=8)
    for _ in range(100):
        limit.went_well()
    assert limit.limit == 8
    limit.went_badly()
    assert limit.limit == 4


async def test_one_storm_halves_once_however_many_requests_it_hits():
    limit = Concurrency(start=8)
    async with AsyncExitStack() as places:
        for _ in range(8):
            await places.enter_async_context(limit.slot())
        for _ in range(8):
            limit.went_badly()
    assert limit.limit == 4


async def test_never_more_at_once_than_the_limit_and_nobody_starves():
    limit = Concurrency(start=3, most=3)
    running, most, done = 0, 0, 0

    async def one() -> None:
        nonlocal running, most, done
        async with limit.slot():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            done += 1

    await together([one() for _ in range(50)])
    assert most == 3
    assert done == 50


async def test_who_was_let_in_before_goes_before_those_who_never_were():
    limit = Concurrency(start=1, most=1)
    order: list[str] = []

    async def one(name: str, *, again: bool) -> None:
        async with limit.slot(again=again):
            order.append(name)

    async with limit.slot():
        waiting = [asyncio.create_task(one(name, again=False)) for name in ("first", "second")]
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(one("refused", again=True)))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["refused", "first", "second"]


async def test_a_cancelled_waiter_gives_its_place_back():
    limit = Concurrency(start=1, most=1)
    async with limit.slot():
        waiting = [asyncio.create_task(hold(limit)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*waiting[1:])
    async with asyncio.timeout(1), limit.slot():
        assert limit.limit == 1


async def hold(limit: Concurrency) -> None:
    async with limit.slot():
        await asyncio.sleep(0)


async def test_a_pause_that_one_request_was_told_holds_back_the_others():
    script = Script(ok(status=429, retry_after="4"), ok())
    async with script.http(patience=Patience(attempts=1)) as first, script.http() as second:
        with pytest.raises(TryLater):
            await first.request("GET", "/x", decode=as_json)
        await second.request("GET", "/x", decode=as_json)
    assert max(script.slept) > 3.0


# --- the store's budget --------------------------------------------------------------------------


def calls(used: int, **answer: Any) -> httpx.Response:
    return ok(x_shopify_shop_api_call_limit=f"{used}/40", **answer)


async def test_who_learns_that_a_bucket_is_empty_waits_before_asking_again():
    script = Script(calls(40), calls(40))
    async with script.http() as http:
        await http.request("GET", "/x", decode=as_json)
        assert script.slept == []
        await http.request("GET", "/x", decode=as_json)
    assert sum(script.slept) == pytest.approx((1 + 40 * 0.04) / 2)
    assert http.stats.throttled == 0
    assert http.stats.waited == pytest.approx(sum(script.slept))


async def test_a_turn_that_is_far_away_is_the_callers_to_wait_for():
    script = Script(
        ok(
            x_rate_limit_requests_quota="150",
            x_rate_limit_requests_left="0",
            x_rate_limit_time_reset_ms="20000",
            x_rate_limit_time_window_ms="30000",
        )
    )
    async with script.http() as http:
        await http.request("GET", "/x", decode=as_json)
        with pytest.raises(TryLater) as caught:
            await http.request("GET", "/x", decode=as_json)
    assert caught.value.code == "store_limits"
    assert caught.value.after == pytest.approx(20.0)
    assert (len(script.requests), script.slept) == (1, [])
    assert (http.stats.requests, http.stats.throttled) == (1, 0)


async def test_a_wait_for_a_turn_can_be_cancelled_and_harms_nobody():
    script = Script(calls(40), calls(30))
    async with script.http() as http:
        await http.request("GET", "/x", decode=as_json)
        http._sleep = asyncio.sleep
        waiting = asyncio.create_task(http.request("GET", "/x", decode=as_json))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        http._sleep = script.sleep
        assert await http.request("GET", "/x", decode=as_json) == {"ok": 1}
    assert len(script.requests) == 2


async def test_a_change_is_not_sent_where_the_right_to_write_was_lost_in_the_wait_for_a_turn():
    script = Script(calls(40))
    held = True

    def check() -> None:
        if not held:
            raise TooLate

    async with script.http() as http:
        await http.request("GET", "/x", decode=as_json)

        async def lose(_: float) -> None:
            nonlocal held
            held = False
            await script.sleep(5.0)

        http._sleep = lose
        with permitted_by(check), pytest.raises(TooLate):
            await http.request("POST", "/x", body=b"{}", decode=as_json)
    assert len(script.requests) == 1


async def test_a_refusal_with_status_200_is_waited_for_and_counted():
    throttle = '"throttleStatus": {"maximumAvailable": 1000, "currentlyAvailable": 1, '
    refused = (
        '{"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],'
        ' "extensions": {"cost": {"requestedQueryCost": 101, ' + throttle + '"restoreRate": 50}}}}'
    )
    script = Script(ok(refused), ok())
    async with script.http(cost_of=graphql_cost) as http:
        found = await http.request("POST", "/graphql", body=b"{}", decode=as_json, cost=101)
    assert found == {"ok": 1}
    assert http.stats.throttled == 1
    assert sum(script.slept) == pytest.approx((101 + 40 - 1) / 50)


async def test_many_at_once_is_no_use_where_turns_are_rare():
    script = Script(*(calls(39) for _ in range(40)), calls(39))
    async with script.http(patience=Patience(wait=60)) as http:
        await together([http.request("GET", "/x", decode=as_json) for _ in range(40)])
        assert http._limit.limit <= 4


async def test_what_was_learnt_of_a_store_is_known_when_it_is_opened_again():
    script = Script(ok(status=429), ok())
    async with script.http(patience=Patience(attempts=1)) as http:
        with pytest.raises(TryLater):
            await http.request("GET", "/x", decode=as_json)
        learnt = http._limit.limit
    async with script.http() as http:
        assert http._limit.limit == learnt < Concurrency().limit


async def test_the_first_failure_of_many_is_raised_as_itself():
    async def fail() -> None:
        raise BadAnswer("broken")

    async def wait() -> None:
        await asyncio.sleep(60)

    with pytest.raises(BadAnswer, match="broken"):
        await together([wait(), fail()])


async def test_reading_ahead_keeps_order_and_stops_with_its_reader():
    produced = []

    async def numbers():
        for each in range(100):
            produced.append(each)
            yield each

    ahead = read_ahead(numbers())
    seen = []
    async for each in ahead:
        seen.append(each)
        await asyncio.sleep(0)
        if each == 3:
            break
    await ahead.aclose()
    assert seen == [0, 1, 2, 3]
    assert produced[-1] in (4, 5)


class TooLate(Exception):
    """What a caller's check raises."""


async def test_nothing_is_changed_once_the_caller_may_not_write_any_more():
    script = Script(httpx.ConnectError("down"), ok())
    allowed = [True, False]

    def check() -> None:
        if not allowed.pop(0):
            raise TooLate

    with permitted_by(check), pytest.raises(TooLate):
        await script.ask("POST")
    assert len(script.requests) == 1, "the second attempt was not sent"
    with permitted_by(check):
        assert await script.ask("GET") == {"ok": 1}
    assert await script.ask("POST") == {"ok": 1}
