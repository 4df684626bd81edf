"""Moments as operators write them."""

import pytest

from workers.operators.moments import iso, read_moment

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", NOW - 90),
        ("30m", NOW - 1800),
        ("2h", NOW - 7200),
        (" 7d ", NOW - 604_800),
        ("1w", NOW - 604_800),
        ("2026-01-31", 1_769_817_600.0),
        ("2026-01-31T13:00", 1_769_864_400.0),
        ("2026-01-31 13:00:00Z", 1_769_864_400.0),
        ("2026-01-31T15:00+02:00", 1_769_864_400.0),
    ],
)
def test_a_moment_is_how_long_ago_or_a_date_in_utc(text: str, seconds: float) -> None:
    assert read_moment(text, now=NOW) == seconds


@pytest.mark.parametrize("text", ["", "yesterday", "2x", "h", "12345678901d", "2026-13-01"])
def test_any_other_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write how long ago"):
        read_moment(text)


def test_a_moment_is_written_in_utc_and_read_again() -> None:
    assert iso(NOW + 0.5) == "2027-01-15T08:00:00.500Z"
    assert read_moment(iso(NOW)) == NOW
