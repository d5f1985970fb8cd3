"""Which frames a coarse pass looks at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from math import ceil


def coarse_plan(times: Sequence[int], is_key: Sequence[bool], step: Fraction) -> list[int]:
    """Frame numbers about `step` ticks apart, the first and the last among them.

    `times` are the sorted PTS. Keyframes are far cheaper to decode, so the one nearest to the wanted
    time is taken if it lies between half a step and a step and a quarter after the frame before;
    otherwise the first frame a step later.
    """
    keys = [n for n, key in enumerate(is_key) if key]
    plan = [0]
    last = len(times) - 1
    while plan[-1] < last:
        here = times[plan[-1]]
        near = [
            n for n in _within(times, keys, here + int(step / 2), here + int(step * 5 / 4)) if n > plan[-1]
        ]
        if near:
            plan.append(min(near, key=lambda n: abs(times[n] - here - step)))
        else:
            plan.append(min(last, max(plan[-1] + 1, bisect_left(times, here + ceil(step)))))
    return plan


def _within(times: Sequence[int], keys: Sequence[int], low: int, high: int) -> Sequence[int]:
    first = bisect_left(keys, low, key=lambda n: times[n])
    return keys[first : bisect_left(keys, high, key=lambda n: times[n])]
