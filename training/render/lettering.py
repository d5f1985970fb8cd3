"""Letters on slates: printed labels, handwriting, LED digits. All are masks to stamp onto a texture."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import ImageFont

from training.render.geometry import Picture

Color = tuple[float, ...]

_HERSHEY = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX_SMALL,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    cv2.FONT_HERSHEY_PLAIN,
)
_SYLLABLES = [
    "ka",
    "lo",
    "mi",
    "ra",
    "ten",
    "sor",
    "bel",
    "an",
    "du",
    "vi",
    "har",
    "mon",
    "li",
    "sa",
    "to",
    "ber",
    "gen",
    "no",
    "ri",
    "cal",
    "der",
    "wy",
    "fo",
    "stan",
    "pe",
]
_SEGMENTS = {  # top, upper left, upper right, middle, lower left, lower right, bottom
    "0": 0b1110111, "1": 0b0010010, "2": 0b1011101, "3": 0b1011011, "4": 0b0111010,
    "5": 0b1101011, "6": 0b1101111, "7": 0b1010010, "8": 0b1111111, "9": 0b1111011,
}  # fmt: skip


@lru_cache(1)
def faces() -> tuple[str | None, ...]:
    """Scalable typefaces at hand: Pillow's own (None) and, where the system has them, two common families."""
    folder = Path("/usr/share/fonts")
    found = [p for name in ("DejaVuSans*", "Liberation*") for p in folder.rglob(f"{name}.ttf")]
    return (None, *sorted(str(path) for path in found))


@lru_cache(512)
def _font(face: str | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(face, size) if face else ImageFont.load_default(size)


def printed(text: str, height: float, face: str | None) -> Picture:
    """A mask (uint8) of printed text, capitals `height` pixels high."""
    mask = _font(face, max(5, round(height * 1.35))).getmask(text, mode="L")
    return np.array(mask, np.uint8).reshape(mask.size[1], mask.size[0])


def handwritten(text: str, height: float, rng: np.random.Generator, weight: float = 0.1) -> Picture:
    """A mask of uneven pen strokes, capitals about `height` pixels high, `weight` of it thick."""
    size = height / 22.0
    font = int(rng.choice(_HERSHEY[:5]))
    thick = max(1, round(height * weight))
    canvas = np.zeros((int(height * 2.4) + 4, int(height * 1.15 * len(text)) + int(height) + 4), np.uint8)
    x = height * 0.3
    for letter in text:
        each = size * float(rng.uniform(0.85, 1.2))
        at = (int(x), int(height * (1.65 + rng.normal(0, 0.05))))
        cv2.putText(canvas, letter, at, font, each, 255, thick, cv2.LINE_AA)
        x += cv2.getTextSize(letter, font, each, 1)[0][0] * float(rng.uniform(0.8, 1.05))
    lean = np.array([[1, rng.uniform(-0.35, 0.1), 0], [rng.uniform(-0.04, 0.04), 1, 0]])
    lean[0, 2] = max(0.0, -lean[0, 1] * height * 1.6)
    leaning = cv2.warpAffine(canvas, lean, (canvas.shape[1], canvas.shape[0]))
    return np.asarray(leaning[int(height * 0.3) : int(height * 2.2), : int(x + height * 0.6)], np.uint8)


def led(text: str, height: float) -> Picture:
    """A mask of seven-segment digits; colons and semicolons become dots."""
    high, wide = max(7, round(height)), max(4, round(height * 0.55))
    pen = max(1, round(height * 0.13))
    mask = np.zeros(
        (high + 2 * pen, sum(wide + 2 * pen if c.isdigit() else 3 * pen for c in text) + pen), np.uint8
    )
    x = pen
    for letter in text:
        if letter.isdigit():
            _digit(mask, _SEGMENTS[letter], x, pen, wide, high, pen)
            x += wide + 2 * pen
        else:
            for y in (high // 3, 2 * high // 3):
                cv2.circle(mask, (x + pen // 2, y + pen), max(1, pen // 2), 255, -1, cv2.LINE_AA)
            x += 3 * pen
    return mask


def _digit(mask: Picture, lit: int, x: int, y: int, wide: int, high: int, pen: int) -> None:
    right, middle, bottom = x + wide, y + high // 2, y + high
    ends = (
        ((x, y), (right, y)), ((x, y), (x, middle)), ((right, y), (right, middle)),
        ((x, middle), (right, middle)), ((x, middle), (x, bottom)),
        ((right, middle), (right, bottom)), ((x, bottom), (right, bottom)),
    )  # fmt: skip
    for place, (start, end) in enumerate(ends):
        if lit >> (6 - place) & 1:
            cv2.line(mask, start, end, 255, pen, cv2.LINE_AA)


def stamp(target: Picture, mask: Picture, x: float, y: float, color: Color, strength: float = 1.0) -> None:
    """Paint color through the mask at (x, y), in place, cut at the target's edges."""
    left, top = max(0, int(x)), max(0, int(y))
    cut = mask[top - int(y) :, left - int(x) :][: target.shape[0] - top, : target.shape[1] - left]
    if cut.size == 0:
        return
    part = target[top : top + cut.shape[0], left : left + cut.shape[1]]
    amount = cut[..., None].astype(np.float32) * np.float32(strength / 255)
    part[:] = (part + (np.asarray(color, np.float32) - part) * amount).astype(np.uint8)


def word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(_SYLLABLES, int(rng.integers(1, 4)))).capitalize()


def entry(label: str, rng: np.random.Generator) -> str:
    """What a camera assistant would write beside a label."""
    letter = "ABCDEFG"[int(rng.integers(7))]
    number = int(rng.integers(1, 120))
    match label:
        case "SCENE" | "SLATE" | "SHOT":
            return str(rng.choice([f"{number}", f"{number}{letter}", f"{number}/{number + 1}{letter}"]))
        case "TAKE":
            return str(int(rng.integers(1, 15)))
        case "ROLL" | "CAM" | "SOUND":
            return str(rng.choice([letter, f"{letter}{number:03d}", f"{number:02d}"]))
        case "DATE":
            return f"{rng.integers(1, 13)}/{rng.integers(1, 29)}/{rng.integers(9, 27):02d}"
        case "FPS":
            return str(rng.choice(["24", "25", "23.98", "48"]))
    return " ".join(word(rng) for _ in range(int(rng.integers(1, 4))))
