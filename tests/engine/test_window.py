"""Windows and cursors, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.base import ReadCapability, Sweep, Trust, Window
from workers.engine.window import Lags, baseline, is_settling, moved, reading

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
moments = st.datetimes(
    min_value=datetime(2020, 1, 1),  # noqa: DTZ001  Hypothesis adds the zone
    max_value=datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
lags = st.builds(Lags, overlap=st.floats(0, 9000), settle=st.floats(0, 9000))
trusted = ReadCapability(trust=Trust.OVERLAP)


@given(now=moments, cursor=moments, lag=lags)
def test_window_never_begins_behind_where_the_last_one_ended(now, cursor, lag) -> None:
    made = reading(trusted, source_now=now, cursor=cursor, lags=lag)
    assert made.until <= now
    if cursor - made.until > timedelta(seconds=lag.overlap):
        assert made.extent == Sweep(), "the clock was set back"
        return
    assert isinstance(made.extent, Window)
    assert made.extent.since <= cursor
    assert made.extent.since <= made.until


@given(cursor=moments, until=moments)
def test_cursor_never_moves_back(cursor, until) -> None:
    assert moved(cursor, until) >= cursor


@given(cursor=st.none() | moments, since=st.none() | moments)
def test_baseline_leaves_no_gap(cursor, since) -> None:
    start = baseline(cursor, since)
    assert (start is None) == (cursor is None and since is None)
    if cursor is not None:
        assert start is not None
        assert start <= cursor


def test_stream_without_cursor_or_trust_is_swept() -> None:
    untrusted = ReadCapability(trust=Trust.SWEEP)
    assert reading(trusted, source_now=NOW, cursor=None, lags=Lags()).extent == Sweep()
    assert reading(untrusted, source_now=NOW, cursor=NOW, lags=Lags()).extent == Sweep()


def test_overlap_of_zero_is_no_missing_overlap() -> None:
    made = reading(trusted, source_now=NOW, cursor=NOW, lags=Lags(overlap=0, settle=0))
    assert made.extent == Window(since=NOW, until=NOW)


def test_empty_window_does_not_reach_the_clock() -> None:
    made = reading(trusted, source_now=NOW, cursor=NOW - timedelta(hours=1), lags=Lags(settle=30))
    assert made.until == NOW - timedelta(seconds=30)


def test_record_changed_within_the_settle_lag_waits_for_the_next_window() -> None:
    window = Window(since=NOW - timedelta(hours=1), until=NOW - timedelta(seconds=10))
    assert is_settling(NOW - timedelta(seconds=9), window)
    assert not is_settling(window.until, window)
    assert not is_settling(NOW - timedelta(seconds=9), Sweep())


def test_record_stamped_in_the_future_does_not_wait_for_it() -> None:
    window = Window(since=NOW - timedelta(hours=1), until=NOW)
    assert not is_settling(NOW + timedelta(days=700), window)
    assert not is_settling(None, window)
