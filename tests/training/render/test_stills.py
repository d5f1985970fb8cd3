"""Rendered stills: the same each time, and true."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from training.render import staging
from training.render.geometry import Pose, Region
from training.render.scenes import Backgrounds, FarAway
from training.render.sets import draw_frame, draw_still, write_set
from training.render.slates import choose_slate, draw_slate
from training.render.staging import CLOSED_PLAY, OPEN_FROM, truth_of
from training.render.stills import render_still
from training.slates import State

SMALL = (192, 108)


def stills(count, **fixed):
    return [render_still((3, index), size=SMALL, **fixed) for index in range(count)]


def test_the_same_seed_gives_the_same_bytes():
    first, second = stills(6), stills(6)
    for a, b in zip(first, second, strict=True):
        assert np.array_equal(a.picture, b.picture)
        assert a.slates == b.slates


def test_another_seed_gives_another_picture():
    assert not np.array_equal(render_still(1, size=SMALL).picture, render_still(2, size=SMALL).picture)


def test_a_picture_has_the_size_that_was_asked_for():
    assert render_still(4, size=(120, 200)).picture.shape == (200, 120, 3)


def test_pictures_without_slates_have_no_boxes():
    assert all(still.slates == [] for still in stills(8, empty=True))


def test_some_pictures_have_no_slate():
    counts = [len(still.slates) for still in stills(60)]
    assert 2 < counts.count(0) < 25


def test_states_follow_the_angle():
    for still in stills(30):
        for slate in still.slates:
            assert slate.angle >= OPEN_FROM if slate.state is State.OPEN else slate.angle <= CLOSED_PLAY


@pytest.mark.parametrize("state", list(State))
def test_a_state_can_be_asked_for(state):
    found = [slate.state for still in stills(6, state=state, empty=False) for slate in still.slates]
    assert found and set(found) == {state}


def test_the_state_goes_with_no_style():
    opened, closed = (stills(12, state=state, empty=False) for state in State)
    for a, b in zip(opened, closed, strict=True):
        styles = [slate.style for slate in a.slates], [slate.style for slate in b.slates]
        assert styles[0][:1] == styles[1][:1]


def test_a_tail_slate_is_upside_down():
    found = [
        slate.upside_down for still in stills(6, upside_down=True, empty=False) for slate in still.slates
    ]
    assert found and all(found)


def test_boxes_lie_within_the_picture():
    for still in stills(40):
        high, wide = still.picture.shape[:2]
        for slate in still.slates:
            box = slate.box
            assert box.x >= 0 and box.y >= 0 and box.x + box.w <= wide and box.y + box.h <= high


@pytest.mark.parametrize("angle", [0.0, 4.0, 35.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_box_is_tight_around_what_is_drawn(seed, angle):
    rng = np.random.default_rng(seed)
    slate = draw_slate(choose_slate(rng), 240)
    pose = Pose(200, 210, 180, roll=float(rng.uniform(-180, 180)), yaw=float(rng.normal(0, 20)), pitch=10)
    layer = slate.draw(pose.homography(slate.look.centre), [angle], Region(0, 0, 400, 400))
    x, y, w, h = cv2.boundingRect((layer[..., 3] > 20).astype(np.uint8))
    box = truth_of(slate, pose, angle, (400, 400)).box
    assert (x, y, x + w, y + h) == pytest.approx((box.x, box.y, box.x + box.w, box.y + box.h), abs=2)


def test_a_slate_whose_sticks_are_out_of_the_picture_is_ignored():
    slate = draw_slate(choose_slate(np.random.default_rng(1)), 200)
    inside, above = Pose(200, 210, 180), Pose(200, 40, 180)
    assert not truth_of(slate, inside, 20, (400, 400)).ignore
    assert truth_of(slate, above, 20, (400, 400)).ignore


def test_a_slate_whose_sticks_are_covered_is_ignored():
    slate = draw_slate(choose_slate(np.random.default_rng(1)), 200)
    covered = np.ones((400, 400), bool)
    assert truth_of(slate, Pose(200, 210, 180), 20, (400, 400), covered).ignore


def test_sticks_that_are_about_to_meet_are_ignored():
    slate = draw_slate(choose_slate(np.random.default_rng(1)), 200)
    assert truth_of(slate, Pose(200, 210, 180), (CLOSED_PLAY + OPEN_FROM) / 2, (400, 400)).ignore


def test_a_slate_out_of_the_picture_has_no_truth():
    slate = draw_slate(choose_slate(np.random.default_rng(1)), 100)
    assert staging.truth_of(slate, Pose(-300, 100, 80), 0, (400, 400)) is None


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        Backgrounds(tmp_path)


def test_photographs_are_used(tmp_path):
    green = np.full((90, 160, 3), (0, 255, 0), np.uint8)
    cv2.imwrite(str(tmp_path / "green.png"), green)
    scene = Backgrounds(tmp_path).scene(np.random.default_rng(0), 160, 90, drawn=0, calm=True)
    assert scene[..., 1].min() > 150 > scene[..., 0].max()


@pytest.mark.parametrize("draw", [draw_still, draw_frame])
def test_a_set_has_its_pictures_and_their_truth(tmp_path, draw):
    assert list(write_set(tmp_path, count=5, seed=2, size=(160, 90), draw=draw)) == [1, 2, 3, 4, 5]
    document = json.loads((tmp_path / "coco.json").read_text())
    assert [image["id"] for image in document["images"]] == [1, 2, 3, 4, 5]
    assert {category["name"]: category["id"] for category in document["categories"]} == {
        "open": 1,
        "closed": 2,
    }
    for image in document["images"]:
        stored = cv2.imread(str(tmp_path / image["file_name"]))
        assert stored.shape[:2] == (image["height"], image["width"])
    assert {a["image_id"] for a in document["annotations"]} <= {1, 2, 3, 4, 5}
    assert all(a["iscrowd"] == int(a["attributes"]["ignore"]) for a in document["annotations"])


def test_stills_of_a_set_come_in_pairs_that_differ_in_state_alone():
    drawn = [draw_still(5, index, SMALL, Backgrounds()) for index in range(12)]
    pairs = [
        (a.slates, b.slates) for a, b in zip(drawn[::2], drawn[1::2], strict=True) if a.slates and b.slates
    ]
    assert pairs
    for opened, closed in pairs:
        assert (opened[0].state, closed[0].state) == (State.OPEN, State.CLOSED)
        assert opened[0].style == closed[0].style


def test_an_interrupted_set_goes_on_where_it_stopped(tmp_path):
    list(write_set(tmp_path, count=4, seed=2, size=(160, 90)))
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.jpg")}
    whole = (tmp_path / "coco.json").read_bytes()
    gone = sorted(before)[1]
    (tmp_path / gone).unlink()
    (tmp_path / sorted(before)[0]).touch()
    list(write_set(tmp_path, count=4, seed=2, size=(160, 90)))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.jpg")} == before
    assert (tmp_path / "coco.json").read_bytes() == whole


def test_the_truth_says_what_is_written():
    slates = [draw_slate(choose_slate(np.random.default_rng(seed)), 120) for seed in range(30)]
    written = [slate.text for slate in slates if slate.text]
    assert any(not slate.text for slate in slates)  # blank boards
    assert sum("TAKE" in text for text in written) > len(written) / 2
    assert all(text["TAKE"].isdigit() for text in written if "TAKE" in text)
    again = draw_slate(choose_slate(np.random.default_rng(0)), 240)
    assert again.text == slates[0].text  # at any resolution


def test_what_is_far_behind_a_slate_has_little_colour():
    def colour(backgrounds):
        scenes = [backgrounds.scene(np.random.default_rng(seed), 160, 90) for seed in range(6)]
        assert all(scene.shape == (90, 160, 3) and scene.dtype == np.uint8 for scene in scenes)
        return np.mean([np.ptp(scene.astype(float), axis=2).mean() for scene in scenes])

    assert colour(FarAway()) < colour(Backgrounds()) / 2
