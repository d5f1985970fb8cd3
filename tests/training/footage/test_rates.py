"""From times to the nominal rate, by table and by property; and which frames a coarse pass takes."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.footage.planning import coarse_plan
from training.footage.rates import STANDARD_RATES, nominal_rate

CAMERA_RATES = [r for r in STANDARD_RATES if r >= 23]
MILLISECOND, MPEG = Fraction(1, 1000), Fraction(1, 90_000)


def ticks(rate, count, time_base, first=0):
    return [first + round(n / rate / time_base) for n in range(count)]


@pytest.mark.parametrize("rate", CAMERA_RATES, ids=str)
@pytest.mark.parametrize("time_base", [MILLISECOND, MPEG, Fraction(1, 600), Fraction(1, 24_000)], ids=str)
def test_even_times_give_the_standard_rate_the_header_names(rate, time_base):
    assert nominal_rate(ticks(rate, 100, time_base, 17), time_base, [rate]) == (rate, False)


@pytest.mark.parametrize("rate", CAMERA_RATES, ids=str)
@pytest.mark.parametrize("hint", [None, Fraction(25), Fraction(90_000), Fraction(1, 7)], ids=str)
def test_the_times_win_over_a_wrong_header(rate, hint):
    assert nominal_rate(ticks(rate, 100, MPEG), MPEG, [hint]) == (rate, False)


def test_a_millisecond_clock_needs_a_minute_to_part_24_from_23_976():
    rate = Fraction(24_000, 1001)
    assert nominal_rate(ticks(rate, 1500, MILLISECOND), MILLISECOND, []) == (rate, False)
    assert nominal_rate(ticks(Fraction(24), 1500, MILLISECOND), MILLISECOND, []) == (Fraction(24), False)


@pytest.mark.parametrize(
    ("times", "time_base", "hints", "expected"),
    [
        ([*range(40), *range(60, 120)], Fraction(1, 24), [Fraction(20)], (Fraction(24), True)),
        ([0, 1, 2, 3, 4, 6], Fraction(1, 25), [], (Fraction(25), True)),
        ([5], MPEG, [Fraction(25)], (Fraction(25), False)),
        ([5], MPEG, [None], (Fraction(24), False)),
        ([0, 3750], MPEG, [None], (Fraction(24), False)),
        (range(0, 1000, 10), Fraction(1, 577), [], (Fraction(577, 10), False)),
        (range(0, 100, 4), Fraction(1, 57), [Fraction(57, 4)], (Fraction(57, 4), False)),
        # A jittery clock with one picture per frame time is still even.
        ([0, 31, 67, 101, 132, 167, 199], MILLISECOND, [Fraction(30)], (Fraction(30), False)),
        # Some cameras' headers say 23.98.
        (ticks(Fraction(24_000, 1001), 50, MILLISECOND), MILLISECOND, [Fraction("23.98")], None),
    ],
)
def test_odd_clips(times, time_base, hints, expected):
    assert nominal_rate(list(times), time_base, hints) == (expected or (Fraction(24_000, 1001), False))


@given(
    gaps=st.lists(st.integers(1, 40), min_size=1, max_size=150),
    keys=st.sets(st.integers(0, 150)),
    step=st.fractions(Fraction(1, 2), 100),
)
def test_a_plan_rises_from_the_first_to_the_last_frame_in_steps(gaps, keys, step):
    times = [sum(gaps[:n]) for n in range(len(gaps) + 1)]
    plan = coarse_plan(times, [n in keys for n in range(len(times))], step)
    assert plan == sorted(set(plan))
    assert (plan[0], plan[-1]) == (0, len(times) - 1)
    for here, there in pairwise(plan):
        between = [times[n] - times[here] for n in range(here + 1, there)]
        assert all(gap < step * 5 / 4 for gap in between)


def test_a_plan_prefers_keyframes_but_never_waits_for_one():
    times = list(range(0, 100))
    assert coarse_plan(times, [n % 24 == 0 for n in times], Fraction(25)) == [0, 24, 48, 72, 96, 99]
    assert coarse_plan(times, [n == 0 for n in times], Fraction(25)) == [0, 25, 50, 75, 99]
    assert coarse_plan(times, [True] * 100, Fraction(25)) == [0, 25, 50, 75, 99]
    assert coarse_plan(times, [n % 40 == 0 for n in times], Fraction(25)) == [0, 25, 40, 65, 80, 99]
