"""A picture of a slate to its fields: upside down if need be, with a second look where a value is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from training.slate_text.fields import Corners, Form, Line, Read, looked_again

Picture = npt.NDArray[np.uint8]
#: Above this mean score of its lines a picture is the right way up. Turned over, it reads about 0.75.
UPRIGHT = 0.9
#: A second look's value counts from this score on, where nothing tells that there is writing at all.
SEEN_AGAIN = 0.85
#: Cells narrower or flatter than this, in pixels, hold nothing to be read.
SMALLEST_CELL = 12


class Reader(Protocol):
    """What reads letters: training.slate_text.reading.Ocr."""

    def lines(self, picture: Picture) -> list[Line]: ...

    def word(self, picture: Picture) -> tuple[str, float]: ...


@dataclass(frozen=True, slots=True)
class Slate:
    """What was read: field -> value, all lines as they were read, and whether the slate is upside down."""

    fields: dict[str, Read]
    lines: tuple[Line, ...]
    upside_down: bool = False


def read_slate(picture: Picture, reader: Reader) -> Slate:
    """Read a picture of a slate, H x W x 3 RGB, that shows little else."""
    lines = reader.lines(picture)
    turned = False
    if _legibility(lines) < UPRIGHT:
        over = np.ascontiguousarray(picture[::-1, ::-1])
        other = reader.lines(over)
        turned = _merit(other) > _merit(lines)
        if turned:
            picture, lines = over, other
    form = Form(lines)
    fields = form.fields()
    for name, corners in form.cells().items():
        if name not in fields and (read := _look_again(picture, reader, name, corners)):
            fields[name] = read
    return Slate(fields, tuple(lines), turned)


def _legibility(lines: Sequence[Line]) -> float:
    """The mean score of the letters, 0 to 1."""
    letters = sum(len(line.text) for line in lines)
    return sum(line.score * len(line.text) for line in lines) / letters if letters else 0.0


def _merit(lines: Sequence[Line]) -> float:
    """How well lines make sense as a slate: legible, and with labels."""
    return _legibility(lines) + 0.05 * min(Form(lines).labels, 6) if lines else 0.0


def _look_again(picture: Picture, reader: Reader, field: str, corners: Corners) -> Read | None:
    """Read the cell of a field alone: a single large letter is easily overlooked on the whole slate."""
    cell = _cut(picture, corners)
    if min(cell.shape[:2]) < SMALLEST_CELL:
        return None
    read = [found for line in reader.lines(cell) if (found := looked_again(field, line.text, line.score))]
    if read:
        return read[0] if len(read) == 1 else None
    text, score = reader.word(cell)
    return looked_again(field, text, score, seen=False) if score >= SEEN_AGAIN else None


def _cut(picture: Picture, corners: Corners) -> Picture:
    """A tilted part of a picture, level."""
    high, wide = picture.shape[:2]
    (x0, y0), (x1, y1), _, (x3, y3) = ((min(max(x, 0.0), wide), min(max(y, 0.0), high)) for x, y in corners)
    size = int(np.hypot(x1 - x0, y1 - y0)), int(np.hypot(x3 - x0, y3 - y0))
    if min(size) < 1:
        return np.empty((0, 0, 3), np.uint8)
    source = np.array([(x0, y0), (x1, y1), (x3, y3)], np.float32)
    target = np.array([(0, 0), (size[0], 0), (0, size[1])], np.float32)
    turn = cv2.getAffineTransform(source, target)
    return np.asarray(cv2.warpAffine(picture, turn, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
