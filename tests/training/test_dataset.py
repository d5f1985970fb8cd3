from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.coco import CocoBox, CocoError, CocoImage, CocoSet, write_coco
from training.dataset import Views, blank, fit, numbered_seed, read_folders, read_picture, zoomed
from training.slates import Box, State


def make_folder(folder: Path, *boxes: CocoBox) -> Path:
    """One picture, 100 x 60: a white slate at (20, 15), 40 x 30, on black."""
    folder.mkdir()
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[15:45, 20:60] = 255
    cv2.imwrite(str(folder / "1.png"), picture)
    write_coco(CocoSet((CocoImage(1, "1.png", 100, 60),), boxes), folder / "coco.json")
    return folder


WHOLE = Box(20, 15, 40, 30)


def slate(id: int = 1, box: Box = WHOLE, *, ignore: bool = False) -> CocoBox:
    return CocoBox(id, 1, box, State.CLOSED, ignore)


def test_fit_keeps_the_aspect_and_the_mean() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (360, 640, 3), dtype=np.uint8)
    assert fit(picture, 320).shape == (180, 320, 3)
    assert fit(picture, 640) is picture
    assert fit(picture, 160).mean() == pytest.approx(picture.mean(), abs=1)
    assert fit(picture[:, :90], 720).shape == (720, 180, 3)


def test_colours_are_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "red.png"), np.full((2, 2, 3), (0, 0, 255), np.uint8))
    assert read_picture(tmp_path / "red.png")[0, 0].tolist() == [255, 0, 0]


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_text("no picture")
    with pytest.raises(CocoError, match=r"x\.png cannot be read"):
        read_picture(tmp_path / "x.png")


def test_folders_are_read_in_order_with_pictures_beside_or_below(tmp_path: Path) -> None:
    first, second = make_folder(tmp_path / "a", slate()), make_folder(tmp_path / "b")
    (second / "images").mkdir()
    (second / "1.png").rename(second / "images" / "1.png")
    found = read_folders([first, second])
    assert [one.path for one in found] == [first / "1.png", second / "images" / "1.png"]
    assert [len(one.boxes) for one in found] == [1, 0]


def test_no_pictures_at_all_is_an_error(tmp_path: Path) -> None:
    write_coco(CocoSet((), ()), tmp_path / "coco.json")
    with pytest.raises(CocoError, match="No pictures to train on"):
        read_folders([tmp_path])


def test_an_ignored_slate_is_blanked_and_not_learned(tmp_path: Path) -> None:
    ignored = slate(ignore=True)
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[15:30, 20:60:2] = 255
    blank(picture, ignored)
    assert picture[15:45, 20:60].std() < 60
    assert not picture[:, 70:].any()
    views = Views(read_folders([make_folder(tmp_path / "a", ignored)]), longest_side=64, seed=1, length=1)
    assert len(views[0][1]["boxes"]) == 0


def test_a_picture_whose_ignored_box_lies_over_a_slate_is_left_out(tmp_path: Path) -> None:
    entangled = make_folder(tmp_path / "a", slate(), slate(2, Box(50, 15, 20, 20), ignore=True))
    apart = make_folder(tmp_path / "b", slate(), slate(2, Box(80, 15, 10, 20), ignore=True))
    assert [one.path.parent.name for one in read_folders([entangled, apart])] == ["b"]


def test_a_view_is_the_same_for_the_same_seed_and_number(tmp_path: Path) -> None:
    labelled = read_folders([make_folder(tmp_path / "a", slate())])
    views = [Views(labelled, longest_side=64, seed=seed, length=9) for seed in (5, 5, 6)]
    torch.manual_seed(1)
    first = views[0][7]
    torch.manual_seed(2)
    again = views[1][7]
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1]["boxes"], again[1]["boxes"])
    assert not all(torch.equal(first[0], view[n][0]) for view in views for n in (7, 8))


def test_every_picture_comes_once_an_epoch(tmp_path: Path) -> None:
    one = read_folders([make_folder(tmp_path / "a", slate())])[0]
    many = [replace(one, boxes=(slate(),) * count) for count in range(5)]
    views = Views(many, longest_side=64, seed=1, length=10)
    for epoch in (range(5), range(5, 10)):
        assert sorted(len(views[number][1]["labels"]) for number in epoch) == [0, 1, 2, 3, 4]


def test_boxes_follow_their_slates(tmp_path: Path) -> None:
    """Whatever the view, the slate (bright) is in the box and its surroundings (dark) are not."""
    labelled = read_folders([make_folder(tmp_path / "a", slate())])
    views = Views(labelled, longest_side=96, seed=3, length=40)
    for number in range(40):
        picture, target = views[number]
        x1, y1, x2, y2 = (round(value) for value in target["boxes"][0].tolist())
        inside = picture[:, y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].float().mean()
        assert x2 - x1 >= 8
        assert inside > 120, number
        assert target["labels"].tolist() == [2]
        assert picture.shape[1:] == (64, 96)


def test_zooming_keeps_every_slate_whole() -> None:
    picture = np.zeros((60, 100, 3), np.uint8)
    corners = np.array([[2, 3, 30, 20], [70, 40, 99, 59]], np.float32)
    for seed in range(60):
        seen, moved = zoomed(picture, corners, np.random.default_rng(seed))
        high, wide = seen.shape[:2]
        assert (moved >= -1e-3).all()
        assert (moved <= np.array([wide, high, wide, high]) + 1e-3).all()
    assert corners[0, 0] == 2


def test_seeds_of_neighbours_are_far_apart() -> None:
    seeds = {numbered_seed(seed, number) for seed in range(20) for number in range(50)}
    assert len(seeds) == 1000
    assert min(seeds) >= 0
