"""What platforms say of their limits, by the examples of their documentation."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from connectors.readings import Bucket, Cost, Window, from_headers, graphql_cost

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "reading"),
    [
        # Shopify REST, and its larger plans
        ({"X-Shopify-Shop-Api-Call-Limit": "32/40"}, Bucket(40, 8, 2)),
        ({"X-Shopify-Shop-Api-Call-Limit": "400/400"}, Bucket(400, 0, 20)),
        # BigCommerce
        (
            {
                "X-Rate-Limit-Time-Window-Ms": "30000",
                "X-Rate-Limit-Time-Reset-Ms": "15000",
                "X-Rate-Limit-Requests-Quota": "150",
                "X-Rate-Limit-Requests-Left": "35",
            },
            Window(150, 35, 15, 30),
        ),
        (
            {
                "X-Rate-Limit-Time-Reset-Ms": "500",
                "X-Rate-Limit-Requests-Quota": "450",
                "X-Rate-Limit-Requests-Left": "0",
            },
            Window(450, 0, 0.5),
        ),
        # the IETF's draft, newest form: one limit, several of which one binds, no policy
        (
            {"RateLimit": '"default";r=50;t=30', "RateLimit-Policy": '"default";q=100;w=60'},
            Window(100, 50, 30, 60),
        ),
        (
            {
                "RateLimit": '"burst";r=90;t=1, "daily";r=20;t=50000',
                "RateLimit-Policy": '"burst";q=100;w=1;qu="requests", "daily";q=10000;w=86400',
            },
            Window(10_000, 20, 50_000, 86_400),
        ),
        ({"RateLimit": "default;r=5;t=10"}, Window(5, 5, 10)),
        # the draft's earlier forms
        ({"RateLimit": "limit=100, remaining=50, reset=5"}, Window(100, 50, 5)),
        (
            {
                "RateLimit-Limit": "100, 100;w=60, 5000;w=3600",
                "RateLimit-Remaining": "50",
                "RateLimit-Reset": "40",
            },
            Window(100, 50, 40, 60),
        ),
        (
            {
                "RateLimit-Limit": "10",
                "RateLimit-Policy": "10;w=1",
                "RateLimit-Remaining": "9",
                "RateLimit-Reset": "1",
            },
            Window(10, 9, 1, 1),
        ),
        # the common ones: reset in seconds, as a time, as a time in milliseconds
        (
            {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "12"},
            Window(60, 7, 12),
        ),
        (
            {
                "X-RateLimit-Limit": "5000",
                "X-RateLimit-Remaining": "4999",
                "X-RateLimit-Reset": str(int(NOW.timestamp()) + 90),
            },
            Window(5000, 4999, 90),
        ),
        (
            {
                "X-Rate-Limit-Limit": "60",
                "X-Rate-Limit-Remaining": "1",
                "X-Rate-Limit-Reset": str(int(NOW.timestamp() * 1000) + 1500),
            },
            Window(60, 1, 1.5),
        ),
        # nothing, and nonsense
        ({}, None),
        ({"X-Shopify-Shop-Api-Call-Limit": "many"}, None),
        ({"X-Shopify-Shop-Api-Call-Limit": "3/nan"}, None),
        ({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "7"}, None),
        ({"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "-7"}, None),
        ({"RateLimit": "\x00;;;=,"}, None),
    ],
)
def test_headers_are_read(headers: dict[str, str], reading: Bucket | Window | None):
    assert from_headers(httpx.Headers(headers), NOW) == reading


def cost(**throttle: float) -> str:
    inner = ",".join(f'"{name}": {value}' for name, value in throttle.items())
    return '{"requestedQueryCost": 101, "actualQueryCost": 46, "throttleStatus": {' + inner + "}}"


def test_a_cost_bucket_is_read_from_the_body():
    said = cost(maximumAvailable=2000.0, currentlyAvailable=1954, restoreRate=100.0)
    body = f'{{"data": {{"shop": 1}}, "extensions": {{"cost": {said}}}}}'
    assert graphql_cost(body.encode()) == Cost(Bucket(2000, 1954, 100))


def test_a_refused_query_waits_for_what_it_lacks():
    said = cost(maximumAvailable=1000.0, currentlyAvailable=1, restoreRate=50.0)
    errors = '[{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]'
    body = f'{{"errors": {errors}, "extensions": {{"cost": {said}}}}}'
    assert graphql_cost(body.encode()) == Cost(Bucket(1000, 1, 50), refused=True, wait=2.0)


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ('{"errors": [{"message": "x", "extensions": {"code": "THROTTLED"}}]}', True),
        ('{"errors": [{"message": "x", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}', False),
        ('{"errors": [{"message": "x"}]}', False),
        ('{"errors": "no list"}', False),
        ('{"data": {}}', False),
        ("<html>", False),
        ("", False),
    ],
)
def test_a_body_without_numbers_says_only_whether_it_is_a_refusal(body: str, refused: bool):
    assert graphql_cost(body.encode()) == Cost(refused=refused)


@pytest.mark.parametrize(
    "reading", [Bucket(40, 40, 2), Window(150, 150, 30, 30), Window(60, 60, 60), Bucket(2, 2, 1)]
)
def test_a_little_is_left_alone_because_answers_overtake_each_other(reading: Bucket | Window):
    pace = reading.pace()
    assert pace is not None
    assert pace.level == pace.most
    assert 0 < reading[0] - pace.most <= reading[0] / 4


@pytest.mark.parametrize(
    "reading", [Bucket(0, 0, 2), Bucket(40, 1, 0), Window(0, 0, 1, 1), Window(5, 1, 1, 0)]
)
def test_a_limit_of_nothing_is_no_limit(reading: Bucket | Window):
    assert reading.pace() is None


def test_a_short_window_is_paced_evenly_below_its_quota():
    pace = Window(100, 60, 0.4, 2.0).pace()
    assert pace is not None
    assert pace.smooth
    assert 45 < pace.rate < 50
    assert pace.most < 10
