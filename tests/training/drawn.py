"""A tiny dataset of drawn slates: bright boards with striped sticks, apart or together, on noise."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.coco import CocoBox, CocoImage, CocoSet, write_coco
from training.slates import Box, State


def draw_slate(rng: np.random.Generator, state: State | None) -> tuple[np.ndarray, Box]:
    picture = rng.integers(60, 120, (72, 128, 3), dtype=np.uint8)
    left, top, wide, high = int(rng.integers(4, 60)), int(rng.integers(20, 28)), 44, 30
    if state is None:
        return picture, Box(0, 0, 0, 0)
    cv2.rectangle(picture, (left, top), (left + wide, top + high), (235, 235, 235), -1)
    lift = 16 if state is State.OPEN else 4
    cv2.line(picture, (left, top - 2), (left + wide, top - lift), (10, 10, 10), 4)
    return picture, Box(left, top - lift - 2, wide, high + lift + 2)


def draw_set(folder: Path, *, count: int = 6, empty: int = 1) -> Path:
    """Writes a COCO folder: `count` slates, open and closed in turn, then `empty` pictures without one."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    images, boxes = [], []
    for number in range(1, count + empty + 1):
        state = None if number > count else (State.OPEN if number % 2 else State.CLOSED)
        picture, box = draw_slate(rng, state)
        cv2.imwrite(str(folder / f"{number}.png"), picture[:, :, ::-1])
        images.append(CocoImage(number, f"{number}.png", 128, 72, {"style": "even" if number % 2 else "odd"}))
        if state:
            boxes.append(CocoBox(number, number, box, state))
    write_coco(CocoSet(tuple(images), tuple(boxes)), folder / "coco.json")
    return folder
