"""The right way up, and a second look where a value is missing."""

import numpy as np

from tests.training.slate_text.boards import COMMON, line
from training.slate_text.layout import Line
from training.slate_text.slate import read_slate

PICTURE = np.zeros((300, 600, 3), np.uint8)


class Reads:
    """Says for each picture what it is told to, by the brightness of its left upper corner."""

    def __init__(self, *, upright: list[Line], over: list[Line] | None = None, cell: str = "") -> None:
        self.upright, self.over, self.cell = upright, over or [], cell
        self.asked = 0

    def lines(self, picture) -> list[Line]:
        self.asked += 1
        if picture.shape != PICTURE.shape:
            return []
        return self.over if picture[0, 0, 0] else self.upright

    def word(self, picture) -> tuple[str, float]:
        return self.cell, 0.97


def marked() -> np.ndarray:
    """Light in the right lower corner: in the left upper one once it is turned over."""
    picture = PICTURE.copy()
    picture[-1, -1] = 255
    return picture


def faint(lines: list[Line]) -> list[Line]:
    return [Line(one.text, 0.7, one.corners) for one in lines]


def test_a_legible_slate_is_read_once():
    reader = Reads(upright=COMMON)
    slate = read_slate(marked(), reader)
    assert not slate.upside_down and reader.asked == 1
    assert slate.fields["scene"].text == "12A" and len(slate.lines) == len(COMMON)


def test_a_slate_upside_down_is_turned():
    slate = read_slate(marked(), Reads(upright=faint(COMMON[::2]), over=COMMON))
    assert slate.upside_down
    assert slate.fields["take"].text == "3"


def test_a_faint_slate_stays_as_it_is():
    slate = read_slate(marked(), Reads(upright=faint(COMMON), over=[line("IS", 0, 0, score=0.5)]))
    assert not slate.upside_down


def test_a_single_digit_that_was_overlooked_is_looked_for():
    without = [one for one in COMMON if one.text != "3"]
    slate = read_slate(marked(), Reads(upright=without, cell="3"))
    assert slate.fields["take"].text == "3"
    assert "take" not in read_slate(marked(), Reads(upright=without, cell="BER")).fields


def test_nothing_written_is_nothing_read():
    slate = read_slate(marked(), Reads(upright=[]))
    assert slate.fields == {} and slate.lines == ()
