"""Which boxes are the same slate."""

from fractions import Fraction

import pytest

from training.claps.tracks import Followed, follow, objects_of
from training.slates import Box, Detection, State

RATE = Fraction(24)
HERE, THERE = Box(10, 10, 100, 80), Box(400, 200, 90, 80)


def seen(box: Box, state: State = State.OPEN, score: float = 0.9) -> Detection:
    return Detection(box, state, score)


def moved(box: Box, by: float) -> Box:
    return Box(box.x + by, box.y, box.w, box.h)


def strengths(followed: Followed) -> list[float]:
    return [one.strength for one in followed.sightings]


def test_both_states_on_one_box_are_one_slate() -> None:
    (one,) = objects_of(3, [seen(HERE, score=0.5), seen(moved(HERE, 5), State.CLOSED, 0.4)])
    assert (one.frame, one.open, one.closed, one.box) == (3, 0.5, 0.4, HERE)


def test_a_box_inside_a_box_is_the_same_slate() -> None:
    sticks = Box(15, 10, 90, 15)
    assert len(objects_of(0, [seen(HERE), seen(sticks, State.CLOSED, 0.3)])) == 1


def test_noise_is_no_object() -> None:
    assert objects_of(0, [seen(HERE, score=0.07)]) == []


def test_a_moving_slate_is_one_slate() -> None:
    looks = [(i, [seen(moved(HERE, 30 * i))]) for i in range(20)]
    followed = follow(looks, rate=RATE)
    assert (min(strengths(followed)), followed.rival) == (0.9, None)


def test_the_clearer_of_two_slates_is_followed() -> None:
    looks = [(i, [seen(THERE, State.CLOSED, 0.95), seen(HERE, score=0.8)]) for i in range(10)]
    followed = follow(looks, rate=RATE)
    assert followed.rival == 0
    assert {one.box for one in followed.sightings} == {THERE}
    assert {(one.open, one.closed) for one in followed.sightings} == {(0.0, 0.95)}


def test_a_lamp_for_minutes_does_not_outweigh_a_slate() -> None:
    lamp = [seen(THERE, score=0.35)]
    looks = [(i, lamp + ([seen(HERE)] if 100 <= i < 115 else [])) for i in range(600)]
    followed = follow(looks, rate=RATE)
    assert [one.box for one in followed.sightings[100:115]] == [HERE] * 15
    assert followed.rival is None


def test_a_slate_elsewhere_later_is_followed_too() -> None:
    looks = [(i, [seen(HERE if i < 10 else THERE)]) for i in range(20)]
    followed = follow(looks, rate=RATE)
    assert [one.box for one in followed.sightings] == [HERE] * 10 + [THERE] * 10
    assert followed.rival is None


def test_frames_without_the_slate_are_blank() -> None:
    looks = [(0, [seen(HERE)]), (1, []), (2, [seen(HERE)]), (3, [])]
    followed = follow(looks, rate=RATE)
    assert strengths(followed) == [0.9, 0.0, 0.9, 0.0]
    assert followed.sightings[1].box is None


@pytest.mark.parametrize("looks", [[], [(0, [])], [(0, [seen(Box(5, 5, 0, 0))])]])
def test_nothing_to_follow(looks: list[tuple[int, list[Detection]]]) -> None:
    followed = follow(looks, rate=RATE)
    assert len(followed.sightings) == len(looks)
    assert followed.rival is None


def test_order_of_detections_does_not_matter() -> None:
    pair = [seen(HERE, score=0.7), seen(THERE, score=0.7)]
    one = follow([(i, pair) for i in range(9)], rate=RATE)
    other = follow([(i, pair[:: (-1) ** i]) for i in range(9)], rate=RATE)
    assert {sighting.box for sighting in one.sightings} == {HERE}
    assert len({sighting.box for sighting in other.sightings}) == 1
