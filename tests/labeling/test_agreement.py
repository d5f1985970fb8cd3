"""How far opinions agree, what changed, and where an answer came from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondsticks.labeling.agreement import agreement, agreement_of_all, changes, origin_of

BOX = {"x": 100.0, "y": 50.0, "w": 200.0, "h": 100.0, "state": "open"}
CLOSED = {**BOX, "state": "closed"}
NEAR = {**BOX, "x": 120.0}
FAR = {**BOX, "x": 900.0}

sides = st.floats(0, 1000, allow_nan=False).map(lambda side: round(side, 2))
some_boxes = st.lists(
    st.fixed_dictionaries(
        {"x": sides, "y": sides, "w": sides, "h": sides, "state": st.sampled_from(["open", "closed"])}
    ),
    max_size=5,
)


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ([], [], 1),
        ([BOX], [], 0),
        ([BOX], [BOX], 1),
        ([BOX], [NEAR], 1),
        ([BOX], [FAR], 0),
        ([BOX], [CLOSED], 0),
        ([BOX], [CLOSED, BOX], 2 / 3),
        ([BOX, FAR], [FAR, BOX], 1),
        ([BOX, BOX], [BOX], 2 / 3),
    ],
)
def test_agreement_is_about_overlap_and_state(one, other, wanted):
    assert agreement(one, other) == pytest.approx(wanted)
    assert agreement(other, one) == pytest.approx(wanted)


@given(some_boxes, some_boxes)
def test_agreement_is_between_none_and_all(one, other):
    assert 0 <= agreement(one, other) <= 1


def test_agreement_of_several_is_the_mean_of_all_pairs():
    assert agreement_of_all([[BOX], [BOX], [CLOSED]]) == pytest.approx(1 / 3)
    assert agreement_of_all([[BOX]]) is None


def test_changes_say_what_became_of_each_box():
    found = changes([BOX, FAR], [{**BOX, "x": 130.0}, {**FAR, "y": 600.0}])
    assert [(one.kind, one.before, one.after) for one in found] == [
        ("moved", BOX, {**BOX, "x": 130.0}),
        ("removed", FAR, None),
        ("added", None, {**FAR, "y": 600.0}),
    ]
    assert [one.kind for one in changes([BOX], [CLOSED])] == ["restated"]


@given(some_boxes, some_boxes)
def test_each_box_is_in_one_change(before, after):
    found = changes(before, after)
    assert sum(one.before is not None for one in found) == len(before)
    assert sum(one.after is not None for one in found) == len(after)


@pytest.mark.parametrize(
    ("proposals", "said", "wanted"),
    [
        ([BOX], [{**BOX, "y": 50.4}], "accepted"),
        ([], [], "accepted"),
        ([BOX], [NEAR], "changed"),
        ([BOX], [CLOSED], "changed"),
        ([BOX], [], "changed"),
        ([], [BOX], "drawn"),
    ],
)
def test_where_an_answer_came_from(proposals, said, wanted):
    assert origin_of(proposals, said) == wanted
