"""Where the lines of a slate stand: turned level, cut into words, each with its own place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from math import atan2, cos, hypot, sin
from statistics import median

Point = tuple[float, float]
#: Letters whose middles are further apart than this, in heights of their line, may belong to two columns.
GAP = 0.65


@dataclass(frozen=True)
class Line:
    """A line as it was read: its text, how sure (0 to 1), its corners clockwise from the left upper one.

    `letters`: where the middle of each letter of the text lies, as a share of the line's width.
    """

    text: str
    score: float
    corners: tuple[Point, Point, Point, Point]
    letters: tuple[float, ...] = ()

    @cached_property
    def middles(self) -> tuple[float, ...]:
        size = len(self.text)
        return self.letters if len(self.letters) == size else tuple((i + 0.5) / size for i in range(size))


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a line in level coordinates. `line`: the number of its line."""

    text: str
    score: float
    left: float
    right: float
    top: float
    bottom: float
    line: int
    middles: tuple[float, ...]  # of its letters, from the left

    @property
    def high(self) -> float:
        return self.bottom - self.top

    @property
    def x(self) -> float:
        return (self.left + self.right) / 2

    @property
    def y(self) -> float:
        return (self.top + self.bottom) / 2


def tilt_of(lines: Sequence[Line]) -> float:
    """How far the writing is turned, in radians; the median of the longer lines'."""
    angles = sorted((_width(line), atan2(*reversed(_along(line)))) for line in lines)
    longer = angles[len(angles) // 2 :]
    return median(angle for _, angle in longer) if longer else 0.0


def words_of(lines: Sequence[Line], tilt: float) -> list[Word]:
    """All words, as they would stand on a level slate."""
    return [word for number, line in enumerate(lines) for word in _words(line, number, tilt)]


def level(point: Point, tilt: float) -> Point:
    x, y = point
    return x * cos(tilt) + y * sin(tilt), y * cos(tilt) - x * sin(tilt)


def part(word: Word, first: int, last: int) -> Word:
    """The letters `first` up to `last` of a word."""
    middles = word.middles
    left = (middles[first - 1] + middles[first]) / 2 if first else word.left
    right = (middles[last - 1] + middles[last]) / 2 if last < len(middles) else word.right
    return replace(word, text=word.text[first:last], left=left, right=right, middles=middles[first:last])


def at_gaps(word: Word) -> list[Word]:
    """A word cut where its letters stand far apart: columns that were read as one."""
    cuts = [i for i in range(1, len(word.text)) if word.middles[i] - word.middles[i - 1] > GAP * word.high]
    return [part(word, first, last) for first, last in pairwise([0, *cuts, len(word.text)])]


def _words(line: Line, number: int, tilt: float) -> list[Word]:
    corners = [level(corner, tilt) for corner in line.corners]
    middle_x, middle_y = (sum(values) / 4 for values in zip(*corners, strict=True))
    wide, high = _width(line), _height(line)
    left = middle_x - wide / 2
    whole = Word(
        text=line.text,
        score=line.score,
        left=left,
        right=left + wide,
        top=middle_y - high / 2,
        bottom=middle_y + high / 2,
        line=number,
        middles=tuple(left + share * wide for share in line.middles),
    )
    return [part(whole, *found.span()) for found in re.finditer(r"\S+", line.text)]


def _along(line: Line) -> Point:
    (x0, y0), (x1, y1) = line.corners[0], line.corners[1]
    return x1 - x0, y1 - y0


def _width(line: Line) -> float:
    return hypot(*_along(line))


def _height(line: Line) -> float:
    (x0, y0), (x1, y1) = line.corners[0], line.corners[3]
    return hypot(x1 - x0, y1 - y0)
