from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from training.checkpoints import read_card
from training.coco import CocoError, read_coco
from training.recipe import main, write_negatives


def photographs(folder: Path, count: int = 2) -> Path:
    folder.mkdir()
    for number in range(count):
        picture = np.random.default_rng(number).integers(0, 256, (90, 160, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{number}.jpg"), picture)
    return folder


def test_photographs_become_pictures_without_slates(tmp_path: Path) -> None:
    out = write_negatives(photographs(tmp_path / "photographs"), tmp_path / "out", times=3)
    found = read_coco(out / "coco.json", images=out)
    assert [image.file_name for image in found.images] == ["0.jpg"] * 3 + ["1.jpg"] * 3
    assert not found.boxes


def test_no_photographs_is_said(tmp_path: Path) -> None:
    with pytest.raises(CocoError, match="no photographs in"):
        write_negatives(tmp_path, tmp_path / "out")


def test_the_whole_recipe_in_little(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    folders = ["--backgrounds", photographs(tmp_path / "a"), "--validation", photographs(tmp_path / "b")]
    little = "--stills 2 --frames 1 --validation-count 1 --first-steps 1 --second-steps 1"
    sides = "--first-side 96 --second-side 128"
    words = [*map(str, folders), "--out", str(tmp_path / "out"), *little.split(), *sides.split()]
    assert main(words) == 0
    card = read_card(tmp_path / "out" / "second" / "checkpoint.safetensors")
    assert (card.name, card.longest_side, card.recipe["steps_done"]) == ("day0", 128, 1)
    numbers = json.loads((tmp_path / "out" / "numbers.json").read_text())
    assert numbers.keys() == {"stills", "frames", "photographs"}
    assert numbers["photographs"]["empty_images"] == 2
