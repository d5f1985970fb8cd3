"""Label Studio's rectangles: there and back, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.label_studio import RegionError, region, regions_in, size_in
from training.slates import Box, State

W, H = 1920, 1080
BOX = Box(192, 108, 384, 216)


@st.composite
def pictures_with_boxes(draw):
    width, height = draw(st.integers(16, 8192)), draw(st.integers(16, 8192))
    x, y = draw(st.floats(0, width - 3)), draw(st.floats(0, height - 3))
    w, h = draw(st.floats(2, width - x)), draw(st.floats(2, height - y))
    return width, height, Box(x, y, w, h)


@given(pictures_with_boxes(), st.sampled_from(State))
def test_a_box_comes_back(drawn, state):
    width, height, box = drawn
    said = region(box, state, width=width, height=height, id="a")
    assert size_in([said]) == (width, height)
    (found,) = regions_in([said], width=width, height=height)
    assert (found.state, found.id) == (state, "a")
    assert (found.box.x, found.box.y, found.box.w, found.box.h) == pytest.approx(
        (box.x, box.y, box.w, box.h), abs=1e-6 * max(width, height)
    )


def test_percent_are_of_the_picture():
    value = region(BOX, State.OPEN, width=W, height=H, id="a")["value"]
    assert (value["x"], value["y"], value["width"], value["height"]) == (10, 10, 20, 20)


def test_no_regions_are_no_slates():
    assert regions_in([], width=W, height=H) == [] and size_in([]) is None


def test_their_own_label_names_can_be_told():
    said = region(BOX, State.OPEN, width=W, height=H, id="a", name="Sticks up")
    assert regions_in([said], width=W, height=H, names={"Sticks up": State.OPEN})[0].state is State.OPEN
    with pytest.raises(RegionError, match="unknown label 'Sticks up'"):
        regions_in([said], width=W, height=H)


def said(**changes):
    known = region(BOX, State.OPEN, width=W, height=H, id="a")
    value = known["value"] | changes.pop("value", {})
    return known | {"value": value} | changes


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ([said(value={"rotation": 12})], "rotated"),
        ([said(value={"rotation": -1e-3})], "rotated"),
        ([said(image_rotation=90)], "rotated"),
        ([said(type="polygonlabels")], "'polygonlabels'"),
        ([said(type=None)], "not a rectangle"),
        ([said(value={"rectanglelabels": []})], "exactly one label"),
        ([said(value={"rectanglelabels": ["open", "closed"]})], "exactly one label"),
        ([said(value={"rectanglelabels": [{}]})], "unknown label"),
        ([said(value={"rectanglelabels": ["Open"]})], "unknown label 'Open'"),
        ([said(value={"x": 95})], "outside"),
        ([said(value={"x": -1})], "outside"),
        ([said(value={"width": 0})], "empty"),
        ([said(value={"height": -5})], "empty"),
        ([said(value={"x": None})], "not a number"),
        ([said(value={"x": float("nan")})], "not a number"),
        ([said(value={"x": True})], "not a number"),
        ([said(value={"rotation": "up"})], "not a number"),
        ([said(original_width=1280, original_height=720)], "drawn on a picture of 1280 × 720"),
        ([said(), said()], "the id 'a' of another"),
        ([{"type": "rectanglelabels"}], "no value"),
        (["a"], "not a list"),
        ({}, "not a list"),
        (None, "not a list"),
    ],
)
def test_what_cannot_be_understood_is_refused(result, why):
    with pytest.raises(RegionError, match=why):
        regions_in(result, width=W, height=H)


def test_an_edge_that_rounds_is_cut():
    (found,) = regions_in([said(value={"x": -0.03})], width=W, height=H)
    assert found.box.x == 0 and found.box.w == pytest.approx(384 - 0.576)


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ([said(original_width=0)], "does not say the size"),
        ([said(original_height=None)], "does not say the size"),
        ([said(), said(original_width=640)], "disagree"),
    ],
)
def test_the_size_of_a_picture_is_not_guessed(result, why):
    with pytest.raises(RegionError, match=why):
        size_in(result)
