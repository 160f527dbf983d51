"""What a store's answer says of its limits: from headers and bodies to a reading, and to a pace.

Understood are Shopify's cost bucket (`extensions.cost`) and call limit, BigCommerce's windows, the
`RateLimit` headers of the IETF's draft in its forms, and the common `X-RateLimit-*`. Nothing here
raises: what cannot be read says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct

from connectors.budget import Pace

_SPARE = 0.04
"""The share of a bucket or window that is left alone: answers overtake each other, and so what one
says may be a few requests old.
"""

_SHORT = 5.0
"""A window of fewer seconds is paced evenly: clocks and answers are not exact enough to fill it."""

_EVENLY = 0.96
_SECONDS_PER_CALL_BUCKET = 20.0
"""Shopify's call limit says no rate; on every plan a bucket is refilled in so many seconds."""

_EPOCH = 1_000_000_000
_EPOCH_MS = 1_000_000_000_000


class Bucket(NamedTuple):
    """`left` of `most` points are there; `rate` points come back a second."""

    most: float
    left: float
    rate: float

    def pace(self) -> Pace | None:
        """What may be spent of it; None where the numbers make no sense."""
        if self.most <= 0 or self.rate <= 0:
            return None
        spare = _spare(self.most)
        return Pace(self.left - spare, self.most - spare, self.rate)


class Window(NamedTuple):
    """`left` of `quota` points may be spent within `reset` seconds; then a window of `length`
    seconds begins, None where the store does not say how long.
    """

    quota: float
    left: float
    reset: float
    length: float | None = None

    def pace(self) -> Pace | None:
        """What may be spent of it; None where the numbers make no sense."""
        if self.quota <= 0 or self.reset < 0 or (self.length is not None and self.length <= 0):
            return None
        if self.length is not None and self.length < _SHORT:
            rate = _EVENLY * self.quota / self.length
            most = max(1.0, self.quota * (1 - _EVENLY))
            level = min(most, self.left) if self.left >= 1 else -rate * self.reset
            return Pace(level, most, rate, smooth=True)
        spare = _spare(self.quota)
        ends = max(self.reset, 0.001)
        return Pace(self.left - spare, self.quota - spare, 0.0, ends, self.length or 0.0)


Reading = Bucket | Window


class Cost(NamedTuple):
    """What a GraphQL answer of Shopify says: its bucket, and whether it is a refusal, which comes
    with status 200.
    """

    reading: Reading | None = None
    refused: bool = False
    wait: float = 0.0


def from_headers(headers: Mapping[str, str], now: datetime | None = None) -> Reading | None:
    """The reading in an answer's headers, None where they hold none. `headers` know no case.

    `now` is the store's clock, for a reset that is given as a point in time.
    """
    for read in (_calls, _milliseconds, _structured, _separate):
        found = read(headers, now or datetime.now(UTC))
        if found is not None:
            return found
    return None


def _spare(most: float) -> float:
    return min(max(1.0, most * _SPARE), most / 4)


# --- headers -------------------------------------------------------------------------------------


def _calls(headers: Mapping[str, str], _: datetime) -> Reading | None:
    """Shopify REST: `X-Shopify-Shop-Api-Call-Limit: 32/40`, a bucket by what is in use."""
    used, slash, most = headers.get("x-shopify-shop-api-call-limit", "").partition("/")
    full, spent = _number(most), _number(used)
    if not slash or full is None or spent is None:
        return None
    return Bucket(full, max(0.0, full - spent), full / _SECONDS_PER_CALL_BUCKET)


def _milliseconds(headers: Mapping[str, str], _: datetime) -> Reading | None:
    """BigCommerce: quota and rest of a window, its length and its end in milliseconds."""
    quota = _number(headers.get("x-rate-limit-requests-quota", ""))
    left = _number(headers.get("x-rate-limit-requests-left", ""))
    reset = _number(headers.get("x-rate-limit-time-reset-ms", ""))
    length = _number(headers.get("x-rate-limit-time-window-ms", ""))
    if quota is None or left is None or reset is None:
        return None
    return Window(quota, left, reset / 1000, length / 1000 if length else None)


_ITEM = re.compile(r'\s*("?)([A-Za-z0-9_*./:-]*)\1((?:\s*;\s*[a-z]+\s*=\s*"?[^;,"]*"?)*)\s*(?:,|$)')
_PARAMETER = re.compile(r';\s*([a-z]+)\s*=\s*"?([^;,"]*)')


def _structured(headers: Mapping[str, str], _: datetime) -> Reading | None:
    """The draft's newer form: `RateLimit: "name";r=50;t=30`, with the quota and the length in
    `RateLimit-Policy: "name";q=100;w=60`. Of several limits the one with least left binds.
    """
    policies = dict(_items(headers.get("ratelimit-policy", "")))
    found = []
    for name, limit in _items(headers.get("ratelimit", "")):
        policy = policies.get(name, {})
        left, reset = limit.get("r"), limit.get("t", policy.get("w"))
        if left is not None and reset is not None:
            found.append(Window(policy.get("q", left), left, reset, policy.get("w")))
    return min(found, key=lambda each: (each.left, -each.reset), default=None)


def _items(header: str) -> list[tuple[str, dict[str, float]]]:
    """A list of names with parameters that are numbers; others are left out."""
    items = []
    for match in _ITEM.finditer(header):
        numbers = ((name, _number(text)) for name, text in _PARAMETER.findall(match[3]))
        items.append((match[2], {name: value for name, value in numbers if value is not None}))
    return items


def _separate(headers: Mapping[str, str], now: datetime) -> Reading | None:
    """One header each for limit, rest and reset, with or without `X-`, in seconds or as a time;
    or the draft's middle form, `RateLimit: limit=100, remaining=50, reset=5`.
    """
    together = dict(re.findall(r"([a-z]+)=(\d+)", headers.get("ratelimit", "").lower()))

    def given(name: str) -> str:
        spellings = (f"ratelimit-{name}", f"x-ratelimit-{name}", f"x-rate-limit-{name}")
        return next(
            (headers[each] for each in spellings if each in headers), together.get(name, "")
        )

    limit, policies = _with_policies(given("limit"))
    left, reset = _number(given("remaining")), _number(given("reset"))
    if limit is None or left is None or reset is None:
        return None
    policies.update(_windows(headers.get("ratelimit-policy", "")))
    return Window(limit, left, _seconds_until(reset, now), policies.get(limit))


def _with_policies(limit: str) -> tuple[float | None, dict[float, float]]:
    """`100, 100;w=60, 1000;w=3600`: the limit that binds, and the length of each."""
    first, _, rest = limit.partition(",")
    return _number(first.partition(";")[0]), _windows(rest or first)


def _windows(header: str) -> dict[float, float]:
    """Lengths by quota, of items as `100;w=60`."""
    found = ((_number(name), values.get("w")) for name, values in _items(header))
    return {quota: length for quota, length in found if quota is not None and length}


def _seconds_until(reset: float, now: datetime) -> float:
    if reset >= _EPOCH_MS:
        reset /= 1000
    return max(0.0, reset - now.timestamp()) if reset >= _EPOCH else reset


def _number(text: str) -> float | None:
    """A number that is not negative and not beyond reason."""
    try:
        value = float(text.strip())
    except ValueError:
        return None
    return value if 0 <= value < _EPOCH_MS * 10 else None


# --- bodies --------------------------------------------------------------------------------------


class _Throttle(Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class _Spent(Struct, rename="camel"):
    throttle_status: _Throttle | None = None
    requested_query_cost: float | None = None


class _Extensions(Struct):
    cost: _Spent | None = None


class _ErrorExtensions(Struct):
    code: str | None = None


class _Error(Struct):
    extensions: _ErrorExtensions | None = None


class _Document(Struct):
    """The parts of a GraphQL answer that are about limits."""

    errors: list[_Error] | None = None
    extensions: _Extensions | None = None


_decode = msgspec.json.Decoder(_Document).decode


def graphql_cost(body: bytes) -> Cost:
    """Shopify GraphQL: `extensions.cost.throttleStatus`, and whether an error says `THROTTLED`.

    A refused query waits until what it asked for is there.
    """
    try:
        document = _decode(body)
    except msgspec.DecodeError:
        return Cost()
    refused = any(
        each.extensions is not None and each.extensions.code == "THROTTLED"
        for each in document.errors or ()
    )
    spent = document.extensions.cost if document.extensions else None
    if spent is None or spent.throttle_status is None:
        return Cost(refused=refused)
    status = spent.throttle_status
    bucket = Bucket(status.maximum_available, status.currently_available, status.restore_rate)
    lack = (spent.requested_query_cost or 0.0) - bucket.left
    return Cost(bucket, refused, max(0.0, lack / bucket.rate) if refused and bucket.rate else 0.0)
