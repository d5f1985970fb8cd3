from __future__ import annotations

import contextlib
import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tests.training.drawn import draw_set
from training.checkpoints import write_checkpoint
from training.coco import CocoBox, CocoImage, CocoSet, as_document, as_results
from training.detector import as_arrays, build_network
from training.evaluate import all_numbers, coco_numbers, main, parts, places, slate_numbers, table
from training.slates import CLASS_IDS, Box, Detection, State

Found = dict[int, list[Detection]]


def make_random(seed: int, *, images: int = 12) -> tuple[CocoSet, Found]:
    """Slates, some ignored, and detections near and far from them with tied scores."""
    rng = np.random.default_rng(seed)
    boxes: list[CocoBox] = []
    detections: Found = {}
    for image in range(1, images + 1):
        for _ in range(int(rng.integers(0, 4))):
            x, y, w, h = rng.uniform(0, 60, 2).tolist() + rng.uniform(8, 40, 2).tolist()
            state = State.OPEN if rng.random() < 0.5 else State.CLOSED
            boxes.append(CocoBox(len(boxes) + 1, image, Box(x, y, w, h), state, bool(rng.random() < 0.1)))
        near = [box for box in boxes if box.image_id == image]
        detections[image] = [make_detection(rng, near) for _ in range(int(rng.integers(0, 6)))]
    return CocoSet(
        tuple(CocoImage(n, f"{n}.png", 100, 100) for n in range(1, images + 1)), tuple(boxes)
    ), detections


def make_detection(rng: np.random.Generator, near: list[CocoBox]) -> Detection:
    state = State.OPEN if rng.random() < 0.5 else State.CLOSED
    score = float(rng.integers(1, 10)) / 10
    if near and rng.random() < 0.8:
        box = near[int(rng.integers(len(near)))].box
        x, y = box.x + rng.normal(0, 3), box.y + rng.normal(0, 3)
        return Detection(Box(x, y, box.w * rng.uniform(0.8, 1.2), box.h), state, score)
    return Detection(Box(*rng.uniform(1, 50, 4).tolist()), state, score)


def reference(truth: CocoSet, detections: Found, categories: list[int]) -> list[float]:
    with contextlib.redirect_stdout(io.StringIO()):
        ground = COCO()
        ground.dataset = copy.deepcopy(as_document(truth))
        ground.createIndex()
        measured = COCOeval(ground, ground.loadRes(as_results(detections)), "bbox")
        measured.params.catIds = categories
        measured.evaluate()
        measured.accumulate()
        measured.summarize()
    return list(measured.stats[:3])


def make_truth(*boxes: tuple[int, Box, State], images: int = 2) -> CocoSet:
    return CocoSet(
        tuple(CocoImage(number, f"{number}.png", 100, 100) for number in range(1, images + 1)),
        tuple(CocoBox(number, *box) for number, box in enumerate(boxes, 1)),
    )


HERE, NEAR, FAR = Box(10, 10, 40, 40), Box(14, 10, 40, 40), Box(60, 60, 30, 30)


@pytest.mark.parametrize("seed", range(8))
def test_numbers_equal_the_reference(seed: int) -> None:
    truth, detections = make_random(seed)
    numbers = coco_numbers(truth, detections)
    suffixes = {"": [1, 2]} | {f"_{state}": [number] for state, number in CLASS_IDS.items()}
    for suffix, categories in suffixes.items():
        ours = [numbers[name + suffix] for name in ("AP", "AP50", "AP75")]
        assert ours == pytest.approx(reference(truth, detections, categories), abs=1e-9)


def test_no_detections_at_all_is_zero() -> None:
    numbers = coco_numbers(make_truth((1, HERE, State.OPEN)), {1: []})
    assert (numbers["AP"], numbers["AP50_open"], numbers["AP_closed"]) == (0, 0, -1)


def test_no_slates_at_all_has_no_number() -> None:
    numbers = all_numbers(make_truth(), {1: [Detection(HERE, State.OPEN, 0.9)]})
    assert (numbers["AP"], numbers["recall"], numbers["state_accuracy"]) == (-1, -1, -1)
    assert numbers["false_boxes_per_empty_image"] == 0.5


def test_a_slate_is_found_in_whichever_state_but_its_state_may_be_wrong() -> None:
    truth = make_truth((1, HERE, State.OPEN), (2, HERE, State.CLOSED), (2, FAR, State.CLOSED))
    found = {
        1: [Detection(NEAR, State.CLOSED, 0.8), Detection(NEAR, State.OPEN, 0.6)],
        2: [Detection(NEAR, State.CLOSED, 0.7)],
    }
    numbers = slate_numbers(truth, found)
    assert numbers["recall"] == pytest.approx(2 / 3)
    assert (numbers["recall_open"], numbers["recall_closed"]) == (1, 0.5)
    assert (numbers["state_accuracy_open"], numbers["state_accuracy_closed"]) == (0, 1)
    assert numbers["state_accuracy"] == 0.5
    assert numbers["false_boxes_per_empty_image"] == -1


def test_weak_detections_do_not_count() -> None:
    truth = make_truth((1, HERE, State.OPEN))
    found = {1: [Detection(HERE, State.OPEN, 0.4)]}
    assert slate_numbers(truth, found)["recall"] == 0
    assert slate_numbers(truth, found, threshold=0.4)["recall"] == 1


def test_one_place_in_two_states_is_one_false_box() -> None:
    both = [Detection(HERE, State.OPEN, 0.6), Detection(NEAR, State.CLOSED, 0.9)]
    assert places(both, 0.5) == [both[1]]
    assert slate_numbers(make_truth(), {1: [*both, Detection(FAR, State.OPEN, 0.5)]})[
        "false_boxes_per_empty_image"
    ] == pytest.approx(1.0)


def test_ignored_slates_are_neither_found_nor_missed() -> None:
    ignored = CocoSet(make_truth().images, (CocoBox(1, 1, HERE, State.OPEN, ignore=True),))
    numbers = slate_numbers(ignored, {1: [Detection(HERE, State.OPEN, 0.9)]})
    assert (numbers["slates"], numbers["empty_images"]) == (0, 1)
    assert numbers["false_boxes_per_empty_image"] == 0


def test_a_set_is_cut_by_a_word() -> None:
    truth = make_truth((1, HERE, State.OPEN), (2, FAR, State.CLOSED))
    cut = parts(truth, lambda image: "first" if image.id == 1 else "rest")
    assert {word: [box.state for box in part.boxes] for word, part in cut.items()} == {
        "first": [State.OPEN],
        "rest": [State.CLOSED],
    }


def test_the_table_has_a_dash_for_nothing_to_measure() -> None:
    text = table({"all": {"AP": 0.5, "recall": -1.0}, "product": {"AP": 1.0, "recall": 0.25}})
    assert [line.split() for line in text.splitlines()] == [
        ["all", "product"],
        ["AP", "0.500", "1.000"],
        ["recall", "-", "0.250"],
    ]


def test_the_command_measures_a_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    name = "fasterrcnn_mobilenet_v2_fpn"
    arrays = as_arrays(build_network(name, longest_side=96).state_dict())
    write_checkpoint(tmp_path / "c.safetensors", arrays, name="c", architecture=name, longest_side=96)
    folder = draw_set(tmp_path / "drawn")
    words = ["--checkpoint", str(tmp_path / "c.safetensors"), "--dataset", str(folder), "--threads", "1"]
    assert main([*words, "--by", "style", "--json", str(tmp_path / "numbers.json")]) == 0
    numbers = json.loads((tmp_path / "numbers.json").read_text())
    assert numbers.keys() == {"all", "even", "odd"}
    assert (numbers["all"]["slates_open"], numbers["all"]["empty_images"]) == (3, 1)
    assert capsys.readouterr().out.splitlines()[0].split() == ["all", "even", "odd"]


def test_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--checkpoint", str(tmp_path / "c.safetensors"), "--dataset", str(tmp_path)]) == 1
    assert "no readable card" in capsys.readouterr().err
