from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from training.coco import (
    CocoBox,
    CocoError,
    CocoImage,
    CocoSet,
    as_results,
    check_coco,
    find_coco,
    from_results,
    read_coco,
    write_coco,
)
from training.slates import Box, Detection, State


def make_set() -> CocoSet:
    return CocoSet(
        images=(CocoImage(1, "a.png", 64, 36, {"style": "in-scene"}), CocoImage(2, "b.png", 64, 36)),
        boxes=(
            CocoBox(1, 1, Box(2.5, 3, 20, 12), State.OPEN, extra={"angle": 12}),
            CocoBox(2, 1, Box(30, 3, 10, 8), State.CLOSED, ignore=True),
        ),
    )


def document() -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 36}],
        "categories": [{"id": 7, "name": "closed"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 2, 3, 4]}],
    }


def refused(path: Path, document: object, **options: Any) -> str:
    path.write_text(json.dumps(document))
    with pytest.raises(CocoError) as caught:
        read_coco(path, **options)
    return str(caught.value)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_coco(make_set(), tmp_path / "coco.json")
    assert read_coco(tmp_path / "coco.json") == make_set()
    assert [path.name for path in tmp_path.iterdir()] == ["coco.json"]


def test_categories_go_by_name_not_by_number(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text(json.dumps(document()))
    assert read_coco(tmp_path / "coco.json").boxes[0].state is State.CLOSED


def test_an_image_without_boxes_has_an_empty_list() -> None:
    assert [len(boxes) for boxes in make_set().boxes_of().values()] == [2, 0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"categories": [{"id": 7, "name": "ajar"}]}, "unknown category 'ajar'"),
        ({"categories": []}, "unknown category id 7"),
        ({"images": []}, "of image 1, which is not there"),
        ({"images": document()["images"] * 2}, "image id 1 is there twice"),
        ({"annotations": document()["annotations"] * 2}, "annotation id 1 is there twice"),
        ({"annotations": None}, "is not a COCO file"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    assert said in refused(tmp_path / "coco.json", document() | change)


@pytest.mark.parametrize(
    ("bbox", "said"),
    [
        ([60, 2, 10, 4], "outside picture a.png"),
        ([-3, 2, 10, 4], "outside picture a.png"),
        ([1, 2, 0, 4], "empty box"),
        ([1, 2, float("nan"), 4], "not a number"),
        ([1, 2, 3], "is not a COCO file"),
    ],
)
def test_a_broken_box_is_refused_with_the_reason(tmp_path: Path, bbox: list[float], said: str) -> None:
    annotation = {"id": 1, "image_id": 1, "category_id": 7, "bbox": bbox}
    assert said in refused(tmp_path / "coco.json", document() | {"annotations": [annotation]})


def test_missing_pictures_are_named(tmp_path: Path) -> None:
    assert "picture a.png is missing" in refused(tmp_path / "coco.json", document(), images=tmp_path)


def test_neither_json_nor_there(tmp_path: Path) -> None:
    (tmp_path / "coco.json").write_text("{")
    with pytest.raises(CocoError, match="is not JSON"):
        read_coco(tmp_path / "coco.json")
    with pytest.raises(CocoError, match="cannot be read"):
        read_coco(tmp_path / "other.json")


def test_a_set_that_would_be_broken_is_not_written(tmp_path: Path) -> None:
    broken = replace(make_set(), images=())
    with pytest.raises(CocoError, match="would be broken"):
        write_coco(broken, tmp_path / "coco.json")
    assert not list(tmp_path.iterdir())


def test_many_problems_are_all_found() -> None:
    images = (CocoImage(1, "a.png", 0, 0), CocoImage(1, "b.png", 5, 5))
    assert len(check_coco(CocoSet(images, ()))) == 2


def test_a_folder_is_known_by_its_coco_file(tmp_path: Path) -> None:
    with pytest.raises(CocoError, match="no COCO file"):
        find_coco(tmp_path)
    write_coco(make_set(), tmp_path / "labels.json")
    assert find_coco(tmp_path) == tmp_path / "labels.json" == find_coco(tmp_path / "labels.json")


def test_detections_become_results_and_back() -> None:
    detections = {3: [Detection(Box(1, 2, 3, 4), State.CLOSED, 0.5)]}
    assert as_results(detections)[0] == {
        "image_id": 3,
        "category_id": 2,
        "bbox": [1, 2, 3, 4],
        "score": 0.5,
    }
    assert from_results(as_results(detections)) == detections
