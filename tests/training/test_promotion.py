"""Who becomes champion, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from training.bootstrap import match
from training.coco import CocoBox, CocoImage, CocoSet
from training.promotion import ClapNumbers, Measured, Rule, compare
from training.slates import Box, Detection, State

FRAMES, CLIPS = 120, 30
OPEN, CLOSED = State.OPEN, State.CLOSED
SLATE = Box(20, 20, 40, 40)
TRUTH = CocoSet(
    tuple(CocoImage(n, f"{n}.png", 100, 100) for n in range(FRAMES)),
    tuple(CocoBox(n + 1, n, SLATE, OPEN if n % 2 else CLOSED) for n in range(FRAMES)),
)


def measured(
    *, blind: Sequence[int] = (), test_set: str = "frozen", claps: ClapNumbers | None = None
) -> Measured:
    """A checkpoint that finds every slate but those of the clips it is blind to, and errs here and there."""
    rng = np.random.default_rng(7)
    found = {}
    for box in TRUTH.boxes:
        jitter = rng.normal(0, 1.5, 2)
        seen = Detection(Box(20 + jitter[0], 20 + jitter[1], 40, 40), box.state, float(rng.uniform(0.6, 0.9)))
        found[box.image_id] = [] if box.image_id % CLIPS in blind else [seen]
    return Measured(test_set, [n % CLIPS for n in range(FRAMES)], match(TRUTH, found), claps)


def test_a_clearly_better_one_is_promoted() -> None:
    decision = compare(measured(blind=range(8)), measured(blind=range(2)))
    assert decision.promoted
    assert decision.gain is not None and 0 < decision.gain.low < decision.gain.value < decision.gain.high
    assert decision.sentence.startswith("promoted: AP +")
    assert decision.sentence.endswith("on 120 frames of 30 clips")


def test_the_same_one_is_not() -> None:
    decision = compare(measured(blind=[1]), measured(blind=[1]))
    assert (decision.promoted, decision.sentence) == (False, "rejected: AP +0.0, which is no gain")


def test_a_worse_one_is_not() -> None:
    decision = compare(measured(), measured(blind=range(5)))
    assert not decision.promoted and decision.sentence.startswith("rejected: AP −")


def test_luck_with_one_clip_is_not_enough() -> None:
    decision = compare(measured(blind=[3]), measured())
    assert decision.gain is not None and decision.gain.value > 0.005
    assert not decision.promoted
    assert ", but the interval is " in decision.sentence and "label more of" in decision.sentence


def test_less_confidence_asks_for_less() -> None:
    assert compare(measured(blind=[3, 4]), measured(), Rule(confidence=0.5)).promoted
    assert not compare(measured(blind=[3, 4]), measured(), Rule(confidence=0.999)).promoted


def test_a_state_must_not_fall() -> None:
    closed_clips = range(0, CLIPS, 2)  # even frames are closed, and frame n is of clip n modulo 30
    worse_there = [clip for clip in closed_clips][:3]
    better = [clip for clip in range(1, CLIPS, 2)][:12]
    decision = compare(measured(blind=better), measured(blind=worse_there))
    assert not decision.promoted
    assert "but AP of closed slates falls by" in decision.sentence


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (ClapNumbers(30, 27, 1), "but it hits 27 of 30 claps, the champion 28"),
        (ClapNumbers(30, 28, 2), "but it makes up 2 claps, the champion 1"),
    ],
)
def test_claps_must_not_get_worse(after: ClapNumbers, sentence: str) -> None:
    champion = measured(blind=range(8), claps=ClapNumbers(30, 28, 1))
    decision = compare(champion, measured(claps=after))
    assert not decision.promoted and decision.sentence.endswith(sentence)
    assert compare(champion, measured(claps=ClapNumbers(30, 28, 1))).promoted


def test_other_test_sets_are_not_compared() -> None:
    decision = compare(measured(blind=range(8)), measured(test_set="another"))
    assert decision.sentence == "rejected: the two were not measured on the same test set"
    other_clips = replace(measured(), clips=[0] * FRAMES)
    assert not compare(measured(blind=range(8)), other_clips).promoted


def test_a_few_clips_say_nothing() -> None:
    few = [replace(measured(blind=blind), clips=[n % 3 for n in range(FRAMES)]) for blind in (range(8), ())]
    assert compare(*few).sentence == "rejected: the test set has 3 clips, and fewer than 8 say nothing"


def test_a_test_set_without_a_state_says_so() -> None:
    only_open = CocoSet(TRUTH.images, tuple(box for box in TRUTH.boxes if box.state is OPEN))
    one = replace(measured(), matches=match(only_open, {}))
    assert compare(one, one).sentence == "rejected: the test set has no closed slates"
