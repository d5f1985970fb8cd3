"""What follows for frames from a decision about their clip."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from secondsticks.labeling.deriving import (
    AROUND,
    MOST,
    MOST_MOS,
    MOST_WITHOUT,
    UNBELIEVED,
    Event,
    Kind,
    derive,
)
from training.slates import Box, Detection, State

WHO = UUID("5ecd5ecd-0000-4000-8000-000000000001")
AT = Box(100, 50, 200, 150)


def sees(open_score: float, closed_score: float, box: Box = AT, more: tuple[Detection, ...] = ()):
    scores = {State.OPEN: open_score, State.CLOSED: closed_score}
    return (*(Detection(box, state, score) for state, score in scores.items()), *more)


def clip(clap: int, frames: int = 40, **changed):
    """What a scan sees of a clip with one clap; `changed`: f12=(…) instead in frame 12."""
    seen = {n: sees(0.95, 0.05) if n < clap else sees(0.05, 0.95) for n in range(frames)}
    return seen | {int(name[1:]): value for name, value in changed.items()}


def labels(seen, *claps: int, kind: Kind = Kind.CLAP):
    events = [Event(kind, WHO, clap) for clap in claps or (0,)]
    found = derive(events, seen, width=1920, height=1080)
    return {one.frame: one.state and str(one.state)[0] for one in found}


def expected(opened, closed):
    return {**dict.fromkeys(opened, "o"), **dict.fromkeys(closed, "c")}


def test_before_the_clap_open_from_its_frame_on_closed():
    assert labels(clip(20), 20) == expected(range(20 - AROUND, 20), range(20, 21 + AROUND))
    assert {one.box for one in derive([Event(Kind.CLAP, WHO, 20)], clip(20), width=1920, height=1080)} == {AT}


def test_a_moved_clap_moves_the_states():
    assert labels(clip(20), 22) == expected(range(16, 22), range(22, 29))
    assert labels(clip(20), 18) == expected(range(12, 18), range(18, 25))


def test_near_the_ends_of_a_clip():
    assert labels(clip(2, 5), 2) == expected(range(2), range(2, 5))
    assert labels(clip(0, 5), 0) == expected((), range(5))


def test_only_frames_that_were_looked_at():
    seen = {n: value for n, value in clip(20).items() if n not in (16, 24)}
    assert labels(seen, 20) == expected(range(17, 20), range(20, 24))


def test_the_slate_leaves_the_picture():
    seen = clip(20) | dict.fromkeys(range(23, 40), ())
    assert labels(seen, 20) == expected(range(14, 20), (20, 21, 22))


def test_a_frame_without_a_box_gets_the_one_between_its_neighbours():
    seen = clip(20, f17=(), f16=sees(0.95, 0.05, Box(104, 50, 200, 150)), f22=())
    found = {one.frame: one for one in derive([Event(Kind.CLAP, WHO, 20)], seen, width=1920, height=1080)}
    assert found[17].box == Box(102, 50, 200, 150) and found[17].state is State.OPEN
    assert found[22].box == AT


def test_no_box_between_neighbours_that_disagree():
    seen = clip(20, f17=(), f16=sees(0.95, 0.05, Box(300, 50, 200, 150)))
    assert 17 not in labels(seen, 20) and 16 not in labels(seen, 20)


def test_frames_in_motion_are_left_out():
    moving = {n: sees(0.95, 0.05, Box(100 + 90 * n, 50, 200, 150)) for n in range(12, 20)}
    assert labels(clip(20) | moving, 20) == expected((), range(20, 27))


def test_a_second_slate_has_a_state_that_nobody_has_said():
    other = Detection(Box(900, 50, 200, 150), State.OPEN, 0.6)
    assert 18 not in labels(clip(20, f18=sees(0.95, 0.05, more=(other,))), 20)


def test_a_slate_half_outside_is_left_out():
    seen = {n: sees(0.95, 0.05, Box(-60, 50, 200, 150)) for n in range(20)} | {
        n: sees(0.05, 0.95, Box(-60, 50, 200, 150)) for n in range(20, 40)
    }
    assert labels(seen, 20) == {}


def test_a_frame_that_the_scan_has_wrong_gets_the_right_state():
    assert labels(clip(20, f18=sees(0.05, 0.95), f22=sees(0.95, 0.05)), 20) == labels(clip(20), 20)


def test_sticks_that_are_opened_again_or_were_not_open_yet_are_not_of_this_clap():
    opened = {n: sees(0.95, 0.05) for n in range(24, 40)}
    shut = {n: sees(0.05, 0.95) for n in range(17)}
    assert labels(clip(20) | opened | shut, 20) == expected(range(17, 20), range(20, 24))


def test_where_the_scan_plainly_contradicts_a_person_few_frames_follow():
    seen = {n: sees(0.95, 0.05) for n in range(40)}
    assert labels(seen, 20) == expected(range(14, 20), range(20, 20 + UNBELIEVED))


def test_where_it_only_leans_to_one_side_all_follow():
    seen = {n: sees(0.95, 0.1) if n < 20 else sees(0.7, 0.6) for n in range(40)}
    assert labels(seen, 20) == expected(range(14, 20), range(20, 27))


def test_between_two_claps_each_has_its_half():
    seen = (
        clip(20) | {n: sees(0.95, 0.05) for n in range(24, 28)} | {n: sees(0.05, 0.95) for n in range(28, 40)}
    )
    found = labels(seen, 20, 28)
    assert found == expected([*range(14, 20), *range(25, 28)], [*range(20, 24), *range(28, 35)])


def test_no_slate_makes_frames_that_the_scan_mistook_empty():
    seen = {n: sees(0.3, 0.1) if n % 2 else () for n in range(200)} | {
        77: sees(0.9, 0.1),
        99: sees(0.1, 0.15),
    }
    found = labels(seen, kind=Kind.NO_SLATE)
    assert len(found) == MOST_WITHOUT and set(found.values()) == {None}
    assert 77 in found and 99 not in found
    assert all(b - a >= 12 for a, b in zip(sorted(found)[:-1], sorted(found)[1:], strict=True))
    assert labels({n: () for n in range(10)}, kind=Kind.NO_SLATE) == {}


def test_a_mos_slate_is_closed_all_the_time_but_where_it_plainly_looks_open():
    seen = {n: sees(0.1, 0.9) for n in range(80)} | {n: sees(0.9, 0.1) for n in range(10, 20)}
    found = labels(seen, kind=Kind.MOS)
    assert 0 < len(found) <= MOST_MOS and set(found.values()) == {"c"}
    assert not set(found) & set(range(10, 20))


def test_nothing_said_is_nothing_derived():
    assert derive([], clip(20), width=1920, height=1080) == []


boxes = st.builds(Box, st.floats(-50, 1900), st.floats(-50, 1000), st.floats(1, 900), st.floats(1, 900))
found = st.lists(st.builds(Detection, boxes, st.sampled_from(State), st.floats(0, 1)), max_size=4)


@given(
    st.dictionaries(st.integers(0, 60), found, max_size=60),
    st.lists(st.integers(0, 60), unique=True, max_size=6),
    st.sampled_from(Kind),
)
def test_whatever_was_seen_labels_are_few_and_say_what_was_said(seen, frames, kind):
    events = [Event(kind, uuid4(), frame) for frame in (frames if kind == Kind.CLAP else frames[:1])]
    found = derive(events, seen, width=1920, height=1080)
    assert len(found) <= MOST and len({one.frame for one in found}) == len(found)
    claps = {event.decision: event.frame for event in events}
    for one in found:
        assert one.frame in seen
        if kind == Kind.CLAP:
            assert one.state is (State.OPEN if one.frame < claps[one.decision] else State.CLOSED)
            assert abs(one.frame - claps[one.decision]) <= AROUND
        else:
            assert one.state is (State.CLOSED if kind == Kind.MOS else None)
        assert (one.box is None) == (kind == Kind.NO_SLATE)
        if one.box is not None:
            assert one.box.area > 0
