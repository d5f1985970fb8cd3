"""From a clip's times to its nominal frame rate, exactly."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from statistics import median_low

STANDARD_RATES = tuple(
    sorted(
        [Fraction(n) for n in (12, 15, 24, 25, 30, 48, 50, 60, 72, 75, 90, 96, 100, 120, 240)]
        + [Fraction(n * 1000, 1001) for n in (12, 15, 24, 30, 48, 60, 72, 90, 96, 120, 240)]
    )
)
#: Below half of the 1/1001 that parts 24 from 23.976.
_CLOSE = Fraction(3, 10_000)


def nominal_rate(
    times: Sequence[int], time_base: Fraction, hints: Iterable[Fraction | None]
) -> tuple[Fraction, bool]:
    """The rate in frames per second and whether it varies.

    `times` are the sorted PTS of all frames in units of `time_base` seconds; `hints` are what the
    file's header says, most trusted first. The times decide, as exactly as their clock ticks allow;
    where that leaves a choice (23.976 or 24 in a short clip with a millisecond clock) the hints do,
    and a standard rate comes before an odd one.
    """
    said = [snap(hint) for hint in hints if hint and hint > 0]
    if len(times) < 2:
        return (said[0] if said else Fraction(24)), False
    gaps = [b - a for a, b in itertools.pairwise(times)]
    span = times[-1] - times[0]
    mean = Fraction(len(gaps), span) / time_base
    if _even(times, Fraction(span, len(gaps))):
        return _best(mean, Fraction(2, span), said), False
    usual = median_low(gaps)
    rate = _best(1 / (usual * time_base), Fraction(1, usual), said)
    return rate, not _even(times, 1 / (rate * time_base))


def snap(rate: Fraction) -> Fraction:
    """The standard rate that this one means, or the rate itself."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(standard - rate))
    return nearest if abs(nearest / rate - 1) <= _CLOSE else rate


def _best(measured: Fraction, doubt: Fraction, said: list[Fraction]) -> Fraction:
    """The most plausible rate within the relative `doubt` of the measured one."""
    within = [rate for rate in said if abs(rate / measured - 1) <= max(doubt, Fraction(1, 100_000))]
    standard = [rate for rate in within if rate in STANDARD_RATES]
    if standard:
        return standard[0]
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate / measured - 1))
    if abs(nearest / measured - 1) <= max(doubt, _CLOSE):
        return nearest
    return within[0] if within else measured.limit_denominator(1_000_000)


def _even(times: Sequence[int], gap: Fraction) -> bool:
    """Whether every time lies where an even clock puts it, give or take a tick for rounding.

    A quarter of a frame is allowed, so that cameras with a jittery clock but one picture per frame
    time still count as even.
    """
    slack = min(max(Fraction(1), gap / 4), gap / 2)
    # Whole numbers: half a million Fractions would take seconds.
    top, bottom = gap.numerator, gap.denominator
    most = int(slack * bottom)
    return all(abs((t - times[0]) * bottom - n * top) <= most for n, t in enumerate(times))
