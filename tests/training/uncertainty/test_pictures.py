"""Hashes of pictures."""

import numpy as np

from training.slates import Box
from training.uncertainty.pictures import picture_hash


def apart(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


def scene(seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).integers(0, 256, (9, 16, 3), np.uint8)
    return np.repeat(np.repeat(cells, 40, axis=0), 40, axis=1)


def test_alike_pictures_have_alike_hashes_and_others_have_not() -> None:
    picture = scene(1)
    noise = np.random.default_rng(2).integers(-6, 7, picture.shape)
    grainy = np.clip(picture + noise, 0, 255).astype(np.uint8)
    assert apart(picture_hash(picture), picture_hash(grainy)) <= 4
    assert apart(picture_hash(picture), picture_hash(scene(3))) >= 16


def test_only_what_is_around_the_slate_counts() -> None:
    picture, box = scene(1), Box(200, 100, 120, 100)
    elsewhere = picture.copy()
    elsewhere[:, 400:] = 0
    assert picture_hash(picture, box) == picture_hash(elsewhere, box) != picture_hash(picture)


def test_a_hash_fits_a_signed_column_and_a_box_outside_is_no_error() -> None:
    found = [picture_hash(scene(seed)) for seed in range(20)]
    assert min(found) < 0 and all(-(2**63) <= value < 2**63 for value in found)
    assert picture_hash(scene(1), Box(5000, 5000, 10, 10)) == picture_hash(scene(1))
