"""Clips whose slates are coloured rectangles, and a detector that knows colours: scans without a network.

A clip is a line with one letter a frame: `-` nothing, `o` open (green), `c` closed (red), `2` an open and a
closed slate at once. The rectangle wanders, so that it must be tracked.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from training.slates import Box, Detection, State

COLOURS = {State.OPEN: (0, 200, 0), State.CLOSED: (200, 0, 0)}
WIDTH, HEIGHT = 160, 90
Picture = npt.NDArray[np.uint8]


class ColourDetector:
    """Knows open slates by their green and closed ones by their red. Counts the pictures it was shown."""

    sha256 = "0" * 64
    architecture = "colours"
    name = "colours"

    def __init__(self) -> None:
        self.shown = 0

    def detect(self, pictures: Sequence[Picture]) -> list[list[Detection]]:
        self.shown += len(pictures)
        return [[found for state in State if (found := _find(picture, state))] for picture in pictures]


def _find(picture: Picture, state: State) -> Detection | None:
    distance = np.abs(picture.astype(int) - COLOURS[state]).sum(axis=2)
    rows, columns = np.nonzero(distance < 120)
    if len(rows) < 30:
        return None
    left, top, right, bottom = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    return Detection(Box(float(left), float(top), float(right - left), float(bottom - top)), state, 0.95)


def box_in(frame: int) -> tuple[int, int, int, int]:
    """Left, top, width, height of the slate in a frame."""
    return 30 + frame % 40, 20 + frame % 12, 40, 32


def picture(letter: str, frame: int) -> Picture:
    shown = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    x, y, w, h = box_in(frame)
    if letter in "oc":
        shown[y : y + h, x : x + w] = COLOURS[State.OPEN if letter == "o" else State.CLOSED]
    if letter == "2":
        shown[10:42, 5:45] = COLOURS[State.OPEN]
        shown[50:80, 110:150] = COLOURS[State.CLOSED]
    return shown


def make_clip(
    path: Path, line: str, *, rate: Fraction = Fraction(24000, 1001), start_timecode: str | None = None
) -> Path:
    """Write the clip as H.264 with a keyframe every two seconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, "yuv420p", 48
        stream.options = {"preset": "ultrafast", "crf": "10"}
        if start_timecode:
            container.metadata["timecode"] = start_timecode
        for number, letter in enumerate(line):
            frame = av.VideoFrame.from_ndarray(picture(letter, number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
