"""What goes in (frames that a scan looked at) and what comes out (frames worth asking about)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from training.slates import Box, Detection, State


@dataclass(frozen=True, slots=True)
class Look:
    """A frame that was looked at, also where nothing was seen. Boxes in pixels of the picture as shown."""

    frame: int
    seconds: float
    detections: tuple[Detection, ...]


@dataclass(frozen=True, slots=True)
class Worth:
    """How much an answer about this frame is worth (0 to 1) and why, in plain sentences, best first.

    `appearance` counts the stretches of the clip, from 0, in which a slate is or should be; None outside.
    """

    frame: int
    score: float
    reasons: tuple[str, ...]
    appearance: int | None


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason to ask: how much it weighs (0 to 1), as a plain sentence."""

    weight: float
    reason: str


def looks_of(detections: Iterable[Mapping[str, Any]]) -> list[Look]:
    """The looks in a scan's JSON document (its `detections`, docs/scan-json.md)."""
    return [
        Look(int(look["frame"]), float(look["seconds"]), tuple(_detection(box) for box in look["boxes"]))
        for look in detections
    ]


def _detection(box: Mapping[str, Any]) -> Detection:
    x, y, w, h = (float(side) for side in box["bbox"])
    return Detection(Box(x, y, w, h), State(box["state"]), float(box["score"]))
