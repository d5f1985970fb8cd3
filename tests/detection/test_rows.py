"""Facts of a clip in words."""

from fractions import Fraction

import pytest

from secondsticks.detection.rows import duration_name, rate_name


@pytest.mark.parametrize(
    ("rate", "name"),
    [
        (Fraction(24000, 1001), "23.976"),
        (Fraction(24), "24"),
        (Fraction(30000, 1001), "29.97"),
        (Fraction(60000, 1001), "59.94"),
        (Fraction(25, 2), "12.5"),
    ],
)
def test_rates_are_named_as_people_name_them(rate, name):
    assert rate_name(rate) == name


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(Fraction(21, 5), "4.2 s"), (Fraction(65), "1:05"), (Fraction(3723), "1:02:03")],
)
def test_durations_are_named_as_people_read_them(seconds, name):
    assert duration_name(seconds) == name
