"""How sure a difference in AP is: COCO's AP over resampled clips, champion and challenger side by side.

Pictures of one clip are alike, so clips are drawn, not pictures: with replacement, and the same ones for both
checkpoints (paired bootstrap, Efron 1979; over clusters). Detections are matched to slates once, by COCO's
rules; a resample only weighs them anew, so that thousands take seconds.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from training.coco import CocoBox, CocoSet
from training.slates import Box, Detection, State

Floats: TypeAlias = npt.NDArray[np.float64]
Detections: TypeAlias = Mapping[int, Sequence[Detection]]
#: COCO's: overlaps at which a detection counts, recalls at which precision is read, detections of a picture.
OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
MOST_DETECTIONS = 100
#: So many resamples are weighed at once: bounds the memory.
AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class StateMatches:
    """The detections of one state over all pictures, best first.

    `right`, `wrong`: overlaps x detections, 0 or 1; neither where the detection is over an ignored slate.
    `image`: the place of each detection's picture. `slates`: how many each picture has.
    """

    right: Floats
    wrong: Floats
    image: npt.NDArray[np.intp]
    slates: Floats


Matches: TypeAlias = Mapping[State, StateMatches]


@dataclass(frozen=True, slots=True)
class Interval:
    """A number, and the bounds between which it lies with the confidence that was asked for."""

    value: float
    low: float
    high: float


def match(truth: CocoSet, detections: Detections) -> Matches:
    """Match detections to slates by COCO's rules, once. Raises ValueError for a score that is no number."""
    places = {image.id: place for place, image in enumerate(truth.images)}
    boxes = truth.boxes_of()
    return {state: _match_state(state, places, boxes, detections) for state in State}


def average_precision(matches: Matches, weights: Floats | None = None) -> dict[State, Floats]:
    """COCO's AP (mean over overlaps) of each state, for each row of `weights` (resamples x pictures).

    Without weights every picture counts once: one row. NaN where a resample has no such slate.
    """
    return {state: _of_state(found, weights) for state, found in matches.items()}


def mean_of_states(values: Mapping[State, Floats]) -> Floats:
    """AP over both states: of those that are there, as COCO does it. NaN where there is neither."""
    rows = np.stack([values[state] for state in State])
    there = ~np.isnan(rows)
    counts = there.sum(axis=0)
    total: Floats = np.where(there, rows, 0.0).sum(axis=0)
    return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


def clip_weights(clips: Sequence[Hashable], *, resamples: int, seed: int) -> Floats:
    """How often each picture counts in each resample; `clips` names the clip of each picture."""
    number = {clip: place for place, clip in enumerate(dict.fromkeys(clips))}
    owner = [number[clip] for clip in clips]
    draws = np.random.default_rng(seed).multinomial(len(number), [1 / len(number)] * len(number), resamples)
    weights: Floats = draws[:, owner].astype(np.float64)
    return weights


def interval_of(value: float, samples: Floats, confidence: float) -> Interval:
    """The percentile interval of resampled values; those that could not be measured are left out."""
    known = samples[~np.isnan(samples)]
    if not len(known):
        return Interval(value, float("nan"), float("nan"))
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(known, [tail, 100 - tail])
    return Interval(value, float(low), float(high))


def _match_state(
    state: State,
    places: Mapping[int, int],
    boxes: Mapping[int, Sequence[CocoBox]],
    detections: Detections,
) -> StateMatches:
    slates = np.zeros(len(places))
    scores: list[float] = []
    images: list[int] = []
    rights: list[Floats] = []
    wrongs: list[Floats] = []
    for number, place in places.items():
        # Crowds last, so that a slate is preferred to an area that is to be ignored.
        there = sorted((one for one in boxes[number] if one.state is state), key=lambda one: one.ignore)
        slates[place] = sum(not one.ignore for one in there)
        mine = [one for one in detections.get(number, ()) if one.state is state]
        best = sorted(mine, key=lambda one: -one.score)[:MOST_DETECTIONS]
        right, wrong = _match_picture(best, there)
        scores += [one.score for one in best]
        images += [place] * len(best)
        rights.append(right)
        wrongs.append(wrong)
    if not all(np.isfinite(scores)):
        raise ValueError("A score is not a finite number.")
    order = np.argsort(-np.array(scores), kind="stable")
    return StateMatches(
        right=np.concatenate([np.zeros((len(OVERLAPS), 0)), *rights], axis=1)[:, order],
        wrong=np.concatenate([np.zeros((len(OVERLAPS), 0)), *wrongs], axis=1)[:, order],
        image=np.array(images, dtype=np.intp)[order],
        slates=slates,
    )


def _match_picture(found: Sequence[Detection], there: Sequence[CocoBox]) -> tuple[Floats, Floats]:
    """Greedy, best detection first; each takes the free slate that it overlaps most."""
    right, wrong = np.zeros((len(OVERLAPS), len(found))), np.ones((len(OVERLAPS), len(found)))
    overlaps = [[_overlap(one.box, box) for box in there] for one in found]
    for row, least in enumerate(OVERLAPS):
        free = [True] * len(there)
        for column, over in enumerate(overlaps):
            chosen = _best(over, there, free, min(float(least), 1 - 1e-10))
            if chosen is None:
                continue
            wrong[row, column] = 0
            if not there[chosen].ignore:
                right[row, column] = 1
                free[chosen] = False
    return right, wrong


def _best(over: Sequence[float], there: Sequence[CocoBox], free: Sequence[bool], least: float) -> int | None:
    chosen: int | None = None
    for place, (overlap, box) in enumerate(zip(over, there, strict=True)):
        if box.ignore and chosen is not None and not there[chosen].ignore:
            break
        if free[place] and overlap >= least:
            chosen, least = place, overlap
    return chosen


def _overlap(found: Box, box: CocoBox) -> float:
    """IoU; with an area to be ignored, the part of the detection that lies in it (COCO's iscrowd)."""
    shared = found.iou(box.box)
    if not box.ignore:
        return shared
    together = found.area + box.box.area
    return shared * together / (1 + shared) / found.area if found.area > 0 else 0.0


def _of_state(found: StateMatches, weights: Floats | None) -> Floats:
    if weights is None:
        weights = np.ones((1, len(found.slates)))
    parts = [weights[start : start + AT_ONCE] for start in range(0, len(weights), AT_ONCE)]
    return np.concatenate([_weighed(found, part) for part in parts])


def _weighed(found: StateMatches, weights: Floats) -> Floats:
    slates = weights @ found.slates
    counts = weights[:, found.image]
    total = np.zeros(len(weights))
    for right, wrong in zip(found.right, found.wrong, strict=True):
        hits = np.cumsum(counts * right, axis=1)
        false = np.cumsum(counts * wrong, axis=1)
        precision = hits / np.maximum(hits + false, np.finfo(float).eps)
        # From here on at this precision or better: what COCO reads at a recall.
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = hits / np.maximum(slates, 1)[:, None]
        for row in range(len(weights)):
            at = np.searchsorted(recall[row], RECALLS, side="left")
            total[row] += envelope[row][at[at < recall.shape[1]]].sum() / len(RECALLS)
    return np.where(slates > 0, total / len(OVERLAPS), np.nan)
