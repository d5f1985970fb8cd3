"""Which frames are worth asking about, and why."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.slates import Box, Detection, State
from training.uncertainty import Look, Worth, frame_doubt, frame_doubts, frames_worth_asking, looks_of

RATE = Fraction(24)
HERE, THERE = Box(100, 80, 120, 100), Box(400, 200, 120, 100)
OPEN, CLOSED = State.OPEN, State.CLOSED


def saw(opened: float = 0.0, closed: float = 0.0, *, box: Box = HERE) -> tuple[Detection, ...]:
    both = (Detection(box, OPEN, opened), Detection(box, CLOSED, closed))
    return tuple(one for one in both if one.score)


def looks(*seen: tuple[Detection, ...], first: int = 0) -> list[Look]:
    return [Look(first + i, (first + i) / 24, found) for i, found in enumerate(seen)]


def asked(
    found: list[Look], *, claps: tuple[int, ...] = (), heard: tuple[float, ...] = ()
) -> dict[int, Worth]:
    worths = frames_worth_asking(found, claps=claps, heard=heard, rate=RATE, frames=1000)
    return {worth.frame: worth for worth in worths}


PLAINLY_OPEN, PLAINLY_CLOSED, NOTHING = saw(0.97), saw(0.0, 0.97), saw()
A_TAKE = [NOTHING] * 10 + [PLAINLY_OPEN] * 30 + [PLAINLY_CLOSED] * 30 + [NOTHING] * 10


def says(worth: Worth | None, words: str) -> bool:
    return worth is not None and any(words in reason for reason in worth.reasons)


def test_a_plain_take_is_worth_asking_about_at_its_clap_only() -> None:
    found = asked(looks(*A_TAKE), claps=(40,))
    worth_much = {frame for frame, worth in found.items() if worth.score > 0.2}
    assert worth_much == set(range(37, 44))
    assert says(found[40], "the clap is here") and says(found[39], "the clap is 1 frame away")
    assert {found[frame].appearance for frame in worth_much} == {0}


def test_a_state_in_doubt_is_worth_most_and_says_the_scores() -> None:
    found = asked(looks(*[PLAINLY_OPEN] * 20, saw(0.5, 0.45), *[PLAINLY_CLOSED] * 20))
    best = max(found.values(), key=lambda worth: worth.score)
    assert best.frame == 20
    assert says(best, "the sticks could be open (0.50) or closed (0.45)")


@pytest.mark.parametrize(("score", "in_doubt"), [(0.97, False), (0.5, True), (0.4, True), (0.1, False)])
def test_a_score_near_the_threshold(score: float, in_doubt: bool) -> None:
    reasons = [doubt.reason for doubt in frame_doubts(saw(score))]
    assert any("whether this is a slate" in reason for reason in reasons) is in_doubt


def test_torn_between_the_states_it_is_a_slate_all_the_same() -> None:
    assert [doubt.reason for doubt in frame_doubts(saw(0.5, 0.48))] == [
        "the sticks could be open (0.50) or closed (0.48)"
    ]


@pytest.mark.parametrize("plain", [saw(0.99), saw(0.0, 0.95)])
def test_a_plain_frame_leaves_nothing_in_doubt(plain: tuple[Detection, ...]) -> None:
    assert frame_doubts(plain) == []


@pytest.mark.parametrize(
    ("closed_box", "in_doubt"),
    [(HERE, False), (Box(100, 76, 120, 104), False), (Box(100, 120, 120, 60), True)],
)
def test_boxes_of_the_two_states_disagree(closed_box: Box, in_doubt: bool) -> None:
    found = (Detection(HERE, OPEN, 0.8), Detection(closed_box, CLOSED, 0.6))
    assert any("two boxes disagree" in doubt.reason for doubt in frame_doubts(found)) is in_doubt


def test_a_frame_in_doubt_comes_before_a_plain_one() -> None:
    plain, unclear = frame_doubt(saw(0.97)), frame_doubt(saw(0.5, 0.5))
    assert (frame_doubt(()), plain < 0.1, unclear > 0.8) == (0.0, True, True)


def test_a_slate_missing_between_two_hits() -> None:
    found = asked(looks(*[PLAINLY_OPEN] * 10, NOTHING, *[PLAINLY_OPEN] * 10))
    assert says(found[10], "seen before and after")
    assert found[10].appearance == 0


def test_a_slate_that_left_and_came_back_later_is_not_missing() -> None:
    found = asked(looks(*[PLAINLY_OPEN] * 10, *[NOTHING] * 20, *[PLAINLY_OPEN] * 10))
    assert not any(says(worth, "seen before and after") for worth in found.values())


def test_frames_that_were_not_looked_at_are_not_missing() -> None:
    found = asked(looks(*[PLAINLY_OPEN] * 10) + looks(*[PLAINLY_OPEN] * 10, first=14))
    assert not any(10 <= frame < 14 for frame in found)


@pytest.mark.parametrize(
    ("odd", "words"),
    [
        (PLAINLY_CLOSED, "open, closed and open again"),
        (saw(0.97, box=Box(160, 120, 120, 100)), "not where it is in the frames beside it"),
    ],
)
def test_a_frame_against_its_neighbours(odd: tuple[Detection, ...], words: str) -> None:
    found = asked(looks(*[PLAINLY_OPEN] * 10, odd, *[PLAINLY_OPEN] * 10))
    assert says(found[10], words)
    assert found[10].score == max(worth.score for worth in found.values())


def test_a_steadily_moving_slate_is_no_jump() -> None:
    found = asked(looks(*(saw(0.97, box=Box(10 + 30 * i, 50, 120, 100)) for i in range(20))))
    assert not any(says(worth, "the box is not where") for worth in found.values())


def test_a_slate_in_one_frame_only() -> None:
    assert says(asked(looks(*[NOTHING] * 5, PLAINLY_OPEN, *[NOTHING] * 5))[5], "in this frame only")


@pytest.mark.parametrize(
    ("seen", "words"), [(PLAINLY_CLOSED, "closed all the time"), (PLAINLY_OPEN, "the slate stays open")]
)
def test_one_state_from_start_to_end(seen: tuple[Detection, ...], words: str) -> None:
    found = asked(looks(*[seen] * 40))
    assert 1 <= sum(says(worth, words) for worth in found.values()) <= 3


def test_a_clap_that_is_heard_where_nothing_is_seen() -> None:
    found = asked([Look(0, 0.0, ()), Look(48, 2.0, ())], heard=(3.0,))
    assert set(found) == {70, 71, 72, 73, 74}
    assert max(found.values(), key=lambda worth: worth.score).frame == 72
    assert says(found[72], "a clap is heard here and not seen")
    assert {worth.appearance for worth in found.values()} == {0}


def test_two_appearances_are_told_apart() -> None:
    one = [PLAINLY_OPEN] * 10 + [saw(0.5, 0.5)] + [PLAINLY_CLOSED] * 10
    found = asked(looks(*one, *[NOTHING] * 40, *one))
    assert (found[10].appearance, found[71].appearance) == (0, 1)


def test_the_scan_document_is_read() -> None:
    box = {"bbox": [1, 2, 3, 4], "state": "open", "score": 0.5}
    document = [
        {"frame": 3, "pts": 9, "seconds": 0.125, "boxes": [box]},
        {"frame": 4, "seconds": 1, "boxes": []},
    ]
    assert looks_of(document) == [
        Look(3, 0.125, (Detection(Box(1, 2, 3, 4), OPEN, 0.5),)),
        Look(4, 1.0, ()),
    ]


def test_no_looks_no_worth() -> None:
    assert asked([]) == {}


@pytest.mark.parametrize(
    ("found", "rate", "words"),
    [(looks(NOTHING) * 2, RATE, "two looks"), (looks(NOTHING), Fraction(0), "frame rate")],
)
def test_what_cannot_be_is_refused(found: list[Look], rate: Fraction, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        frames_worth_asking(found, claps=(), heard=(), rate=rate, frames=10)


boxes = st.builds(Box, st.floats(0, 600), st.floats(0, 300), st.floats(0, 300), st.floats(0, 300))
detections = st.lists(st.builds(Detection, boxes, st.sampled_from(State), st.floats(0, 1)), max_size=5)
clips = st.dictionaries(st.integers(0, 120), detections, max_size=25).map(
    lambda seen: [Look(frame, frame / 24, tuple(found)) for frame, found in seen.items()]
)


@given(clips, st.lists(st.integers(0, 120), max_size=3), st.lists(st.floats(0, 6), max_size=3))
def test_any_clip(found: list[Look], claps: list[int], heard: list[float]) -> None:
    worths = frames_worth_asking(found, claps=claps, heard=heard, rate=RATE, frames=121)
    assert all(0 <= worth.score <= 1 and worth.reasons and 0 <= worth.frame < 121 for worth in worths)
    assert len({worth.frame for worth in worths}) == len(worths)
    assert [worth.score for worth in worths] == sorted((worth.score for worth in worths), reverse=True)
    turned = found[::-1]
    assert frames_worth_asking(turned, claps=claps[::-1], heard=heard[::-1], rate=RATE, frames=121) == worths


@given(detections)
def test_the_doubt_about_any_frame_is_at_least_its_heaviest(found: list[Detection]) -> None:
    doubts = frame_doubts(found)
    assert max((doubt.weight for doubt in doubts), default=0.0) - 1e-9 <= frame_doubt(found) <= 1
    assert [doubt.weight for doubt in doubts] == sorted((one.weight for one in doubts), reverse=True)
