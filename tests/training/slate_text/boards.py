"""Lines as an OCR would read them on a board, placed with a few numbers."""

from math import cos, radians, sin

from training.slate_text.layout import Line


def line(
    text: str, x: float, y: float, high: float = 20.0, *, wide: float | None = None, score: float = 1.0
) -> Line:
    """A level line with its left upper corner at x, y; letters as wide as 0.6 of its height."""
    right, bottom = x + (wide or 0.6 * high * len(text)), y + high
    return Line(text, score, ((x, y), (right, y), (right, bottom), (x, bottom)))


def turned(lines: list[Line], degrees: float) -> list[Line]:
    """The same lines on a board that is held at an angle."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    turn = [tuple((x * c - y * s, x * s + y * c) for x, y in each.corners) for each in lines]
    return [Line(each.text, each.score, corners) for each, corners in zip(lines, turn, strict=True)]


#: A common board: labels at the top of their cells, the values large below them.
COMMON = [
    line("PROD.", 10, 10), line("The Long Day", 120, 8),
    line("ROLL", 10, 50), line("SCENE", 210, 50), line("TAKE", 410, 50),
    line("A001", 30, 80, 60), line("12A", 240, 80, 60), line("3", 440, 80, 60),
    line("DIRECTOR: A. Miller", 10, 170), line("CAMERA: R. Tucker", 10, 210),
    line("DATE", 10, 250), line("4/8/25", 90, 250),
]  # fmt: skip
