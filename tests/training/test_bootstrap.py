"""Weighed AP is COCO's AP, and clips are what is drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.training.test_evaluate import make_random
from training.bootstrap import average_precision, clip_weights, interval_of, match, mean_of_states
from training.coco import CocoImage, CocoSet
from training.evaluate import coco_numbers
from training.slates import Box, Detection, State


@pytest.mark.parametrize("seed", range(25))
def test_ap_is_the_evaluators(seed: int) -> None:
    truth, detections = make_random(seed)
    numbers = coco_numbers(truth, detections)
    found = average_precision(match(truth, detections))
    for state in State:
        ap = float(found[state][0])
        assert (-1.0 if math.isnan(ap) else ap) == pytest.approx(numbers[f"AP_{state}"], abs=1e-12)
    assert float(mean_of_states(found)[0]) == pytest.approx(numbers["AP"], abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_a_weight_of_two_is_the_picture_twice(seed: int) -> None:
    truth, detections = make_random(seed, images=8)
    # No ties: which of two equal scores comes first is the evaluator's own business.
    step = iter(range(10_000))
    detections = {
        number: [replace(one, score=one.score - next(step) * 1e-6) for one in found]
        for number, found in detections.items()
    }
    twice = [image for image in truth.images if image.id % 3 == 0]
    again = [CocoImage(image.id + 100, f"again {image.id}", 100, 100) for image in twice]
    boxes = [
        replace(box, id=box.id + 1000, image_id=box.image_id + 100)
        for box in truth.boxes
        if box.image_id in {image.id for image in twice}
    ]
    doubled = CocoSet((*truth.images, *again), (*truth.boxes, *boxes))
    seen = detections | {image.id + 100: detections[image.id] for image in twice}
    weights = np.array([[2.0 if image.id % 3 == 0 else 1.0 for image in truth.images]])
    weighed = mean_of_states(average_precision(match(truth, detections), weights))
    assert float(weighed[0]) == pytest.approx(coco_numbers(doubled, seen)["AP"], abs=0.02)


def test_pictures_of_a_clip_are_drawn_together() -> None:
    clips = ["a", "b", "a", "c", "b", "a"]
    weights = clip_weights(clips, resamples=200, seed=3)
    assert weights.shape == (200, 6)
    assert (weights[:, 0] == weights[:, 2]).all() and (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, 0] + weights[:, 1] + weights[:, 3] == 3).all()  # as many clips as there are
    assert (clip_weights(clips, resamples=200, seed=3) == weights).all()
    assert not (clip_weights(clips, resamples=200, seed=4) == weights).all()


def test_clips_of_like_pictures_make_the_interval_wider() -> None:
    truth, detections = make_random(1, images=40)
    by_picture = clip_weights(range(40), resamples=400, seed=0)
    # Each picture four times over, as neighbouring frames are: nothing is learned from the copies.
    images = [
        CocoImage(image.id + 1000 * n, f"{n} {image.id}", 100, 100)
        for n in range(4)
        for image in truth.images
    ]
    boxes = [
        replace(box, id=box.id + 10_000 * n, image_id=box.image_id + 1000 * n)
        for n in range(4)
        for box in truth.boxes
    ]
    copies = CocoSet(tuple(images), tuple(boxes))
    seen = {number + 1000 * n: found for n in range(4) for number, found in detections.items()}

    def width(weights: np.ndarray, one: CocoSet, found: dict[int, list[Detection]]) -> float:
        interval = interval_of(0, mean_of_states(average_precision(match(one, found), weights)), 0.95)
        return interval.high - interval.low

    honest = width(clip_weights([image.id % 1000 for image in images], resamples=400, seed=0), copies, seen)
    naive = width(clip_weights(range(160), resamples=400, seed=0), copies, seen)
    assert honest == pytest.approx(width(by_picture, truth, detections), rel=0.15)
    assert naive < 0.7 * honest


def test_a_score_that_is_no_number_is_refused() -> None:
    truth = CocoSet((CocoImage(1, "1.png", 10, 10),), ())
    with pytest.raises(ValueError, match="finite"):
        match(truth, {1: [Detection(Box(0, 0, 5, 5), State.OPEN, float("nan"))]})


def test_without_any_slate_there_is_no_ap() -> None:
    truth = CocoSet((CocoImage(1, "1.png", 10, 10),), ())
    found = mean_of_states(average_precision(match(truth, {})))
    assert np.isnan(found).all()
    assert math.isnan(interval_of(float(found[0]), found, 0.95).low)
