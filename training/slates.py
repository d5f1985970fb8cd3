"""The words of the detector: a slate is a box with a state, seen in a frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """The state of a slate's sticks."""

    OPEN = "open"
    CLOSED = "closed"


#: Class ids in every dataset, network and COCO file. 0 is the background.
CLASS_IDS = {State.OPEN: 1, State.CLOSED: 2}
STATES = {class_id: state for state, class_id in CLASS_IDS.items()}


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box in pixels of the picture as shown: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def area(self) -> float:
        return max(self.w, 0.0) * max(self.h, 0.0)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        wide = min(self.x + self.w, other.x + other.w) - max(self.x, other.x)
        high = min(self.y + self.h, other.y + other.h) - max(self.y, other.y)
        if wide <= 0 or high <= 0:
            return 0.0
        shared = wide * high
        return shared / (self.area + other.area - shared)

    def scaled(self, sx: float, sy: float) -> Box:
        return Box(self.x * sx, self.y * sy, self.w * sx, self.h * sy)


@dataclass(frozen=True, slots=True)
class Detection:
    """A slate as a checkpoint sees it: where, in which state, how sure (score 0 to 1)."""

    box: Box
    state: State
    score: float


#: How far a box may stick out of its picture (pixels), as hand-drawn edges round; it is cut there.
SLACK = 1.0


class BoxError(ValueError):
    """A box that cannot be in its picture; says why, as the end of a sentence."""


def fitted(box: Box, width: int, height: int) -> Box:
    """The box within a picture of this size in pixels. Raises BoxError."""
    if not all(math.isfinite(side) for side in (box.x, box.y, box.w, box.h)):
        raise BoxError("has a side that is not a number")
    if box.w <= 0 or box.h <= 0:
        raise BoxError("is empty")
    right, bottom = box.x + box.w, box.y + box.h
    if min(box.x, box.y) < -SLACK or right > width + SLACK or bottom > height + SLACK:
        raise BoxError("lies outside of the picture")
    if min(box.x, box.y) >= 0 and right <= width and bottom <= height:
        return box
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    cut = Box(left, top, min(right, width) - left, min(bottom, height) - top)
    if cut.w <= 0 or cut.h <= 0:
        raise BoxError("lies outside of the picture")
    return cut
