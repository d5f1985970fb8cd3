"""Whether a challenger becomes champion: a rule on frozen footage, and its answer in a sentence. Pure.

The rule, each part of which can reject: both were measured on the same frozen test set; AP is higher by at
least `least_gain`, and its interval over resampled clips lies above 0; no state's AP falls by more than
`most_fall`; claps are hit at least as often, and no more false ones are made up.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from training.bootstrap import (
    Floats,
    Interval,
    Matches,
    average_precision,
    clip_weights,
    interval_of,
    mean_of_states,
)
from training.slates import State


@dataclass(frozen=True, slots=True)
class Rule:
    """What a challenger has to show. AP and falls are parts of 1, not of 100."""

    confidence: float = 0.95
    least_gain: float = 0.005
    most_fall: float = 0.01
    resamples: int = 1000
    seed: int = 0
    fewest_clips: int = 8

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1:
            raise ValueError("The confidence lies from 0.5 to below 1.")


@dataclass(frozen=True, slots=True)
class ClapNumbers:
    """How claps were found on the test set's clips; `claps` is how many there are."""

    claps: int
    hit: int  # in the exact frame
    false: int


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A checkpoint on a test set. `test_set`: its hash; `clips`: the clip of each picture, in order."""

    test_set: str
    clips: Sequence[Hashable]
    matches: Matches
    claps: ClapNumbers | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`gain`: AP of the challenger less that of the champion. `sentence` starts with promoted or rejected."""

    promoted: bool
    sentence: str
    gain: Interval | None = None
    gains: dict[State, float] | None = None


def compare(champion: Measured, challenger: Measured, rule: Rule | None = None) -> Decision:
    """Compare two checkpoints, and say whether the challenger is promoted and why, or why not."""
    rule = rule or Rule()
    if objection := _cannot_compare(champion, challenger, rule):
        return Decision(False, f"rejected: {objection}")
    before, after = average_precision(champion.matches), average_precision(challenger.matches)
    gains = {state: float((after[state] - before[state])[0]) for state in State}
    gain = _gain(champion, challenger, rule)
    told = f"AP {_points(gain.value)}"
    weakest = min(State, key=lambda state: float(after[state][0]))
    objection = _too_little(gain, rule, weakest) or next(
        _objections(gains, champion.claps, challenger.claps, rule), None
    )
    if objection:
        return Decision(False, f"rejected: {told}, {objection}", gain, gains)
    bounds = f"{_points(gain.low)} to {_points(gain.high)}"
    where = f"{len(challenger.clips)} frames of {len(set(challenger.clips))} clips"
    sentence = f"promoted: {told} ({rule.confidence * 100:g} % interval {bounds}) on {where}"
    return Decision(True, sentence, gain, gains)


def _cannot_compare(champion: Measured, challenger: Measured, rule: Rule) -> str | None:
    if champion.test_set != challenger.test_set or list(champion.clips) != list(challenger.clips):
        return "the two were not measured on the same test set"
    clips = len(set(challenger.clips))
    if clips < rule.fewest_clips:
        return f"the test set has {clips} clips, and fewer than {rule.fewest_clips} say nothing"
    missing = [state for state in State if not challenger.matches[state].slates.sum()]
    if missing:
        return f"the test set has no {' and no '.join(missing)} slates"
    return None


def _gain(champion: Measured, challenger: Measured, rule: Rule) -> Interval:
    weights = clip_weights(challenger.clips, resamples=rule.resamples, seed=rule.seed)
    samples = _ap(challenger, weights) - _ap(champion, weights)
    value = _ap(challenger) - _ap(champion)
    return interval_of(float(value[0]), samples, rule.confidence)


def _ap(measured: Measured, weights: Floats | None = None) -> Floats:
    return mean_of_states(average_precision(measured.matches, weights))


def _objections(
    gains: Mapping[State, float], before: ClapNumbers | None, after: ClapNumbers | None, rule: Rule
) -> Iterator[str]:
    """What speaks against it beside AP over both states, the weightiest first."""
    for state, change in gains.items():
        if not change >= -rule.most_fall:
            yield f"but AP of {state} slates falls by {_points(-change, signed=False)}"
    if before is None or after is None:
        return
    if after.hit < before.hit:
        yield f"but it hits {after.hit} of {after.claps} claps, the champion {before.hit}"
    if after.false > before.false:
        yield f"but it makes up {after.false} claps, the champion {before.false}"


def _too_little(gain: Interval, rule: Rule, weakest: State) -> str | None:
    if not math.isfinite(gain.value + gain.low + gain.high):
        return "which is no number: something is wrong with the test set or the checkpoint"
    if gain.value <= 0:
        return "which is no gain"
    bounds = f"{_points(gain.low)} to {_points(gain.high)}"
    if gain.low <= 0:
        return f"but the interval is {bounds}: label more of {weakest} slates, or test on more clips"
    if gain.value < rule.least_gain:
        return f"but less than {_points(rule.least_gain)} is not worth a change"
    return None


def _points(value: float, *, signed: bool = True) -> str:
    """As people say it, in points of 100: +0.6, with a real minus."""
    return f"{value * 100:{'+' if signed else ''}.1f}".replace("-", "−")
