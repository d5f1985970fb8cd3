from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.checkpoints import CheckpointError, write_checkpoint
from training.detector import as_arrays, build_network
from training.inference import Detector, load_detector
from training.slates import State

NAME = "fasterrcnn_mobilenet_v2_fpn"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights: their answers mean nothing, but they are many and always the same."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    network = build_network(NAME, longest_side=160)
    write_checkpoint(
        path, as_arrays(network.state_dict()), name="random", architecture=NAME, longest_side=160
    )
    return path


@pytest.fixture(scope="module")
def detector(checkpoint: Path) -> Detector:
    return load_detector(checkpoint, threads=1)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_it_says_what_it_is(detector: Detector) -> None:
    assert (detector.name, detector.architecture, len(detector.sha256)) == ("random", NAME, 64)


def test_boxes_are_in_pixels_of_the_given_picture_best_first(detector: Detector) -> None:
    small = picture(90, 160)
    large = small.repeat(4, axis=0).repeat(4, axis=1)
    (near,), (far,) = detector.detect([small]), detector.detect([large])
    assert len(near) > 3
    assert [one.score for one in near] == sorted((one.score for one in near), reverse=True)
    assert min(one.score for one in near) >= 0.05
    assert {one.state for one in near} <= set(State)
    for one, other in zip(near, far, strict=True):
        assert other.box.iou(one.box.scaled(4, 4)) > 0.99
        assert 0 <= other.box.x <= other.box.x + other.box.w <= 640.01
        assert 0 <= other.box.y <= other.box.y + other.box.h <= 360.01


def test_pictures_of_any_shape_come_back_in_their_order(detector: Detector) -> None:
    pictures = [picture(90, 160, 1), picture(160, 90, 2), picture(90, 160, 3), picture(50, 50, 4)]
    together = detector.detect(pictures)
    for one, answer in zip(pictures, together, strict=True):
        (alone,) = detector.detect([one])
        assert [found.state for found in answer] == [found.state for found in alone]
        assert [found.score for found in answer] == pytest.approx([found.score for found in alone], abs=1e-4)


def test_the_same_pictures_give_the_same_answers(detector: Detector, checkpoint: Path) -> None:
    pictures = [picture(90, 160, seed) for seed in range(3)]
    assert detector.detect(pictures) == load_detector(checkpoint).detect(pictures)


def test_no_pictures_no_answers(detector: Detector) -> None:
    assert detector.detect([]) == []


@pytest.mark.parametrize(
    "wrong", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((9, 9, 4), np.uint8)]
)
def test_what_is_no_picture_is_refused(detector: Detector, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="a picture is uint8 H x W x 3"):
        detector.detect([wrong])


def test_a_read_only_picture_is_welcome(detector: Detector) -> None:
    frame = picture(90, 160)
    frame.flags.writeable = False
    assert detector.detect([frame])[0]


def test_a_missing_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no readable card"):
        load_detector(tmp_path / "none.safetensors")
