"""Which frame shows the slate best: the closed one with the most detail."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from training.footage.footage import Footage

#: A slate counts as closed from this score on.
CLOSED_FROM = 0.5
#: The slate is looked for in so many frames: it is mostly held still for a moment after the clap.
FRAMES = 36


def candidates(result: dict[str, Any]) -> dict[int, list[float]]:
    """Frame -> box of the closed slates to choose from: from the first clap on, or where most of them are."""
    closed = {}
    for look in result["detections"]:
        best = max(look["boxes"], key=lambda box: box["score"], default=None)
        if best is not None and best["state"] == "closed" and best["score"] >= CLOSED_FROM:
            closed[look["frame"]] = best["bbox"]
    first = result["claps"][0]["frame"] if result["claps"] else _fullest(sorted(closed))
    return {frame: box for frame, box in closed.items() if first <= frame < first + FRAMES}


def _fullest(frames: list[int]) -> int:
    """Where the FRAMES frames begin that hold the most of these; 0 without any."""

    def held(first: int) -> int:
        return bisect_left(frames, first + FRAMES) - bisect_left(frames, first)

    return max(frames, key=held, default=0)


def sharpest(footage: Footage, shown: Mapping[int, Sequence[float]]) -> int | None:
    """The sharpest of some frames. `shown`: frame -> box of its slate, in pixels of the full size."""
    best, chosen = 0.0, None
    for frame in footage.frames(min(shown), max(shown)) if shown else ():
        if frame.number in shown:
            sharp = of(part(frame.picture, shown[frame.number], full_width=footage.facts.width))
            if sharp > best:
                best, chosen = sharp, frame.number
    return chosen


def part(
    picture: npt.NDArray[np.uint8], box: Sequence[float], *, full_width: int, margin: float = 0.0
) -> npt.NDArray[np.uint8]:
    """The box of a slate cut out, with a margin in shares of its longer side.

    `box` is left, top, width, height in a picture of `full_width`.
    """
    high, wide = picture.shape[:2]
    x, y, w, h = (value * wide / full_width for value in box)
    more = margin * max(w, h)
    left, top = min(max(0, round(x - more)), wide - 1), min(max(0, round(y - more)), high - 1)
    right, bottom = max(left + 1, round(x + w + more)), max(top + 1, round(y + h + more))
    return picture[top:bottom, left:right]


def of(picture: npt.NDArray[np.uint8]) -> float:
    """The variance of the Laplacian of the picture's brightness (Pech-Pacheco 2000): higher is sharper."""
    grey = picture.astype(np.float32).mean(axis=2)
    if min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return float(edges.var())
