"""Whatever is sent: an answer below 500, a sentence for each mistake, and nothing kept of what is wrong."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondsticks.labeling import bodies
from secondsticks.labeling.models import Annotation, Draft
from tests.labeling.conftest import BOX

SIZE = {"width": 1920, "height": 1080}


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        (None, "give a list"),
        ({"0": BOX}, "give a list"),
        ([None], "Box 1 is not an object"),
        ([[None, None]], "Box 1 is not an object"),
        ([BOX, {**BOX, "state": "ajar"}], "Box 2: its state is open or closed"),
        ([{**BOX, "state": None}], "Box 1: its state"),
        ([{**BOX, "state": ["open"]}], "Box 1: its state"),
        ([{**BOX, "x": "100"}], "Box 1, x is not a number"),
        ([{**BOX, "x": True}], "Box 1, x is not a number"),
        ([{**BOX, "x": float("nan")}], "Box 1, x is not a finite number"),
        ([{**BOX, "w": 10**400}], "Box 1, w is not a finite number"),
        ([{**BOX, "x": -5}], "Box 1 lies outside of the picture, which has 1920 × 1080 pixels"),
        ([{**BOX, "w": 1900}], "Box 1 lies outside"),
        ([{**BOX, "w": -40}], "Box 1 lies outside"),
        ([{**BOX, "h": 1.5}], "Box 1 is smaller than 2 pixels"),
        ([BOX] * 17, "at most 16 slates, not 17"),
    ],
)
def test_each_mistake_has_its_sentence(boxes, says):
    with pytest.raises(bodies.BadBody, match=says.replace("(", r"\(")):
        bodies.boxes_in({"boxes": boxes}, **SIZE)


def test_a_box_that_sticks_out_by_rounding_is_cut_and_other_words_in_it_are_left_out():
    said = {"x": -0.4, "y": 0.123456, "w": 1920.7, "h": 1080, "state": "open", "score": 0.3}
    (box,) = bodies.boxes_in({"boxes": [said]}, **SIZE)
    assert box == {"x": 0.0, "y": 0.12, "w": 1920.0, "h": 1079.88, "state": "open"}


numbers = st.integers() | st.floats() | st.just(10**400)
anything = st.recursive(
    st.none() | st.booleans() | numbers | st.text() | st.sampled_from(["open", "\ud800", "\x00", "a" * 5000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
nearly_boxes = st.lists(
    st.fixed_dictionaries(
        {"x": numbers | anything, "y": numbers, "w": numbers, "h": numbers, "state": anything}
    )
    | anything,
    max_size=20,
)
KNOWN = ["key", "token", "made_on", "boxes", "reason", "seconds", "holding"]
fields = st.fixed_dictionaries(
    {},
    optional={name: anything for name in KNOWN}
    | {"boxes": nearly_boxes, "made_on": st.integers(-1, 2), "key": st.text(max_size=70)},
)
raw = st.binary(max_size=200) | st.sampled_from(
    [b"", b"[" * 100_000, b'{"key": NaN}', b'"\\ud800"', b"\xff\xfe"]
)
ADDRESSES = ["next", "take", "save", "skip", "undo", "keep-lease", "release", "draft"]


@pytest.mark.django_db
@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(ADDRESSES), said=fields | anything, noise=st.none() | raw, leased=st.booleans())
def test_no_body_breaks_an_address(make_frame, make_clip, page, name, said, noise, leased):
    from django.db import transaction

    with transaction.atomic():
        frame = make_frame(make_clip())
        held = page.next() if leased else None
        if held and isinstance(said, dict):
            said = {"key": "k", "token": held["lease"]["token"], "made_on": 0, **said}
        body = json.dumps(said).encode("utf-8", "surrogatepass") if noise is None else noise
        address = reverse(f"labeling:{name}", args=[page.project.uuid if name == "next" else frame.uuid])
        send = page.client.put if name == "draft" else page.client.post
        response = send(
            address, body, content_type="application/json", headers={"accept": "application/json"}
        )
        assert response.status_code in (200, 400, 409), response.content
        if response.status_code == 400:
            assert response.json()["error"] and not Annotation.objects.exists() and not Draft.objects.exists()
        elif response.status_code == 409:
            assert response.json()["kind"] and not Annotation.objects.exists()
        transaction.set_rollback(True)
