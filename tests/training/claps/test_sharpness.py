"""The sharpest closed slate: where it is looked for, and what counts as sharp."""

import numpy as np

from training.claps import sharpness


def look(frame, state="closed", score=0.9) -> dict:
    return {"frame": frame, "boxes": [{"bbox": [frame, 0, 9, 9], "state": state, "score": score}]}


def test_slates_to_choose_from_follow_the_first_clap():
    looks = [look(3), look(10), look(11, score=0.3), look(12, "open"), look(13), look(10 + sharpness.FRAMES)]
    result = {"claps": [{"frame": 10}], "detections": looks}
    assert sharpness.candidates(result) == {10: [10, 0, 9, 9], 13: [13, 0, 9, 9]}


def test_without_a_clap_they_lie_where_most_closed_slates_are():
    looks = [look(3), *(look(frame) for frame in range(500, 520)), {"frame": 600, "boxes": []}]
    assert list(sharpness.candidates({"claps": [], "detections": looks})) == list(range(500, 520))
    assert sharpness.candidates({"claps": [], "detections": []}) == {}


def test_detail_is_sharp_and_blur_is_not():
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (40, 60, 3)).astype(np.uint8)
    blurred = np.repeat(np.repeat(noise[::8, ::8], 8, 0), 8, 1)
    assert sharpness.of(noise) > sharpness.of(blurred) > 0
    assert sharpness.of(noise[:2]) == 0


def test_a_part_is_cut_at_the_edges_of_the_picture():
    picture = np.zeros((100, 200, 3), np.uint8)
    assert sharpness.part(picture, [40, 20, 80, 40], full_width=400).shape == (20, 40, 3)
    assert sharpness.part(picture, [0, 0, 400, 200], full_width=400, margin=0.5).shape == (100, 200, 3)
    assert sharpness.part(picture, [390, 190, 0, 0], full_width=400).shape == (1, 1, 3)
