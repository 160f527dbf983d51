import pytest

from app.cli.duration import parse_duration, say_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("45", 45), ("90s", 90), ("15m", 900), ("1h", 3600), ("1h30m", 5400), ("2m5s", 125), ("0", 0)],
)
def test_durations_are_read_as_people_write_them(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "m", "1.5h", "-3", "15 m", "30m1h", "\u0661\u0665", "9999h", "1d"]
)
def test_everything_else_is_refused(text):
    with pytest.raises(ValueError, match="is "):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0s"), (59.6, "1m"), (75, "1m 15s"), (3600, "1h"), (3661, "1h 1m 1s")],
)
def test_durations_are_said_shortly(seconds, text):
    assert say_duration(seconds) == text
