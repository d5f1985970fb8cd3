"""Slate boards: what they are made of, their printed form, and what was written, taped and stuck on them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.render.geometry import Layer, Picture, premultiplied, scale, shift
from training.render.lettering import Color, entry, faces, handwritten, led, printed, stamp, word
from training.render.surfaces import soft_noise, wood

STYLES = ("white", "black", "acrylic", "chalk", "wood", "digital", "inserts", "coloured")
_ODDS = (0.42, 0.16, 0.12, 0.07, 0.05, 0.07, 0.07, 0.04)
_PENS: tuple[Color, ...] = ((25, 25, 30), (20, 30, 120), (170, 25, 30), (20, 95, 45))
_TAPES: tuple[Color, ...] = (
    (245, 240, 225), (250, 215, 60), (255, 120, 20), (240, 60, 130), (60, 190, 90),
    (60, 150, 230), (30, 30, 30),
)  # fmt: skip


@dataclass(frozen=True)
class BoardLook:
    """A board's design. Lengths are in board widths."""

    style: str
    height: float
    corner: float
    top: float  # where the form begins: the lower stick lies above
    ground: Color
    ink: Color
    pens: tuple[Color, ...]
    clear: float  # how much of what is behind shows through, 0 to 1
    seed: int


def choose_board(rng: np.random.Generator, stick: float) -> BoardLook:
    style = str(rng.choice(STYLES, p=_ODDS))
    dark = style in ("black", "chalk", "digital") or (style == "inserts" and rng.random() < 0.5)
    shade = float(rng.uniform(12, 55) if dark else rng.uniform(200, 255))
    ground: Color = tuple(shade + rng.normal(0, 4, 3))
    if style == "wood":
        ground = (float(rng.uniform(120, 200)), float(rng.uniform(85, 140)), float(rng.uniform(45, 90)))
    elif style == "coloured":
        ground = tuple(rng.uniform(20, 240, 3))
    light = sum(ground) < 330
    ink: Color = (
        tuple(rng.uniform(180, 255, 3) * [1, 1, 1]) if light else tuple(rng.uniform(5, 70) * np.ones(3))
    )
    pen = _PENS[int(rng.integers(4)) if rng.random() < 0.45 else 0]
    chalk: Color = tuple(np.full(3, rng.uniform(190, 255)))
    pens = (chalk,) if light else (pen, _PENS[int(rng.integers(4))] if rng.random() < 0.25 else pen)
    return BoardLook(
        style=style,
        height=float(np.clip(rng.normal(0.76, 0.08), 0.55, 1.0)),
        corner=float(rng.choice([0.003, rng.uniform(0.01, 0.05), rng.uniform(0.04, 0.08)])),
        top=stick,
        ground=ground,
        ink=ink,
        pens=pens,
        clear=float(rng.uniform(0.25, 0.8)) if style == "acrylic" else 0.0,
        seed=int(rng.integers(2**31)),
    )


def draw_board(look: BoardLook, resolution: float, digits: str | None = None) -> tuple[Layer, dict[str, str]]:
    """The board's layer, `resolution` pixels to the board width, and label -> what is written beside it.

    The LED display shows `digits`.
    """
    rng = np.random.default_rng(look.seed)
    wide, high = round(resolution), round(resolution * look.height)
    color = _ground(look, wide, high, rng)
    solid = np.full((high, wide), 255 * (1 - look.clear), np.uint8)
    painter = _Painter(look, color, solid, rng, digits)
    painter.form()
    painter.extras()
    outline = _corners(wide, high, look.corner * wide)
    alpha = cv2.multiply(outline, painter.solid, scale=1 / 255)
    to_plane = scale(1 / resolution, 1 / resolution) @ shift(-1, -1)
    return Layer(premultiplied(color, alpha), to_plane), painter.written


def _corners(wide: int, high: int, radius: float) -> Picture:
    mask = np.zeros((high, wide), np.uint8)
    r = max(0, round(radius))
    if r < 2:
        return np.full((high, wide), 255, np.uint8)
    cv2.rectangle(mask, (r, 0), (wide - r - 1, high), 255, -1)
    cv2.rectangle(mask, (0, r), (wide, high - r - 1), 255, -1)
    for x in (r, wide - r - 1):
        for y in (r, high - r - 1):
            cv2.circle(mask, (x, y), r, 255, -1, cv2.LINE_AA)
    return mask


def _ground(look: BoardLook, wide: int, high: int, rng: np.random.Generator) -> Picture:
    if look.style == "wood":
        return wood(rng, wide, high, look.ground)
    smear = soft_noise(rng, wide, high, cells=int(rng.integers(3, 9)))
    depth = 40 if look.style == "chalk" else rng.uniform(2, 14)
    color = (
        np.asarray(look.ground, np.float32) + (smear[..., None] - (0 if look.style == "chalk" else 1)) * depth
    )
    return np.clip(color, 0, 255).astype(np.uint8)


class _Painter:
    """Fills one board's texture from top to bottom."""

    def __init__(
        self, look: BoardLook, color: Picture, solid: Picture, rng: np.random.Generator, digits: str | None
    ) -> None:
        self.look, self.color, self.solid, self.rng, self.digits = look, color, solid, rng, digits
        self.wide, self.unit = color.shape[1], color.shape[1]
        self.high = color.shape[0]
        self.line = max(1, round(self.unit * float(rng.uniform(0.003, 0.009))))
        self.face = faces()[int(rng.integers(len(faces())))]
        self.boxed = rng.random() < 0.45
        self.blank = rng.random() < 0.22
        self.label = float(rng.uniform(0.026, 0.046))
        self.weight = float(rng.uniform(0.05, 0.14))
        self.written: dict[str, str] = {}

    def form(self) -> None:
        """Rows of fields: labels above or beside what is written."""
        margin = float(self.rng.uniform(0.015, 0.05)) * self.unit
        top = self.look.top * self.unit + margin * float(self.rng.uniform(0.3, 1.0))
        rows = _rows(self.look.style, self.rng)
        space = (self.high - top - margin) / sum(height for height, _ in rows)
        for height, cells in rows:
            self._row(cells, margin, top, self.wide - margin, top + height * space)
            top += height * space

    def _row(self, cells: list[str], x0: float, y0: float, x1: float, y1: float) -> None:
        shares = np.array([0.5 if c in ("FPS", "CAM") else 1.0 for c in cells]) * self.rng.uniform(
            0.8, 1.3, len(cells)
        )
        edges = x0 + (x1 - x0) * np.r_[0, np.cumsum(shares / shares.sum())]
        for cell, left, right in zip(cells, edges, edges[1:], strict=False):
            self._cell(cell, left, y0, right, y1)
        if not self.boxed:
            self._rule((x0, y1), (x1, y1))
            for left in edges[1:-1]:
                self._rule((left, y0), (left, y1))

    def _rule(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        a, b = (int(start[0]), int(start[1])), (int(end[0]), int(end[1]))
        cv2.line(self.color, a, b, self.look.ink, self.line, cv2.LINE_AA)
        if self.look.clear:
            cv2.line(self.solid, a, b, 255, self.line)

    def _cell(self, kind: str, x0: float, y0: float, x1: float, y1: float) -> None:
        if self.boxed:
            corners = (int(x0), int(y0)), (int(x1), int(y1))
            cv2.rectangle(self.color, *corners, self.look.ink, self.line, cv2.LINE_AA)
        if kind == "LED":
            self._display(x0, y0, x1, y1)
        elif kind == "FLAGS":
            self._flags(x0, y0, x1, y1)
        else:
            self._field(kind, x0, y0, x1, y1)

    def _field(self, label: str, x0: float, y0: float, x1: float, y1: float) -> None:
        high = y1 - y0
        size = min(self.label * self.unit, high * 0.45)
        self._put(printed(label, size, self.face), x0 + size * 0.5, y0 + size * 0.3, self.look.ink)
        if self.look.style == "inserts" or self.rng.random() < 0.05:
            self._strip(x0 + size, y0 + high * 0.25, x1 - size * 0.5, y1 - high * 0.08)
        if self.blank or self.rng.random() < 0.1:
            return
        beside = high < size * 3.2
        text_high = high * float(self.rng.uniform(0.4, 0.62) if beside else self.rng.uniform(0.38, 0.6))
        self.written[label] = text = entry(label, self.rng)
        mask = handwritten(text, text_high, self.rng, self.weight)
        left = x0 + (size * len(label) * 0.85 + size if beside else size * 0.8)
        if mask.shape[1] > (x1 - left) > 4:
            mask = cv2.resize(mask, (int(x1 - left), mask.shape[0]), interpolation=cv2.INTER_AREA)
        pen = self.look.pens[int(self.rng.integers(len(self.look.pens)))]
        room = y1 - mask.shape[0] * 0.9 - self.line
        self._put(mask, left + float(self.rng.uniform(0, 0.2)) * max(0, x1 - left - mask.shape[1]), room, pen)

    def _strip(self, x0: float, y0: float, x1: float, y1: float) -> None:
        if x1 - x0 < 3 or y1 - y0 < 3:
            return
        dark = sum(self.look.ground) > 330
        shade = self.rng.uniform(20, 50) if dark else self.rng.uniform(190, 245)
        corners = (int(x0), int(y0)), (int(x1), int(y1))
        cv2.rectangle(self.color, *corners, (shade, shade, shade), -1)
        cv2.rectangle(self.solid, *corners, 255, -1)

    def _display(self, x0: float, y0: float, x1: float, y1: float) -> None:
        corners = (int(x0), int(y0)), (int(x1), int(y1))
        cv2.rectangle(self.color, *corners, tuple(self.rng.uniform(5, 40) * np.ones(3)), -1)
        cv2.rectangle(self.solid, *corners, 255, -1)
        clock = self.rng.integers(0, (24, 60, 60, 24))
        text = ":".join(f"{n:02d}" for n in clock)
        mask = led(self.digits or text, (y1 - y0) * 0.62)
        if mask.shape[1] > x1 - x0 > 4:
            mask = cv2.resize(mask, (int(x1 - x0), mask.shape[0]), interpolation=cv2.INTER_AREA)
        glow = ((255, 40, 30), (255, 70, 50), (90, 220, 255), (90, 255, 110))[
            int(self.rng.choice(4, p=[0.6, 0.2, 0.1, 0.1]))
        ]
        at = (x0 + (x1 - x0 - mask.shape[1]) / 2, y0 + (y1 - y0 - mask.shape[0]) / 2)
        stamp(self.color, cv2.GaussianBlur(mask, (0, 0), max(0.6, (y1 - y0) * 0.05)), *at, glow, 0.7)
        stamp(self.color, mask, *at, glow)

    def _flags(self, x0: float, y0: float, x1: float, y1: float) -> None:
        words = ["DAY", "NIGHT", "INT", "EXT", "MOS", "SYNC"]
        for place, flag in enumerate(words):
            x = x0 + (x1 - x0) * (place + 0.15) / len(words)
            size = min(self.label * self.unit * 0.85, (y1 - y0) * 0.5)
            self._put(printed(flag, size, self.face), x, y0 + (y1 - y0) * 0.25, self.look.ink)
            if not self.blank and self.rng.random() < 0.3:
                at = (int(x + size * 1.6), int((y0 + y1) / 2))
                axes = (int(size * 2.2), int(size * 1.2))
                cv2.ellipse(self.color, at, axes, 0, 0, 360, self.look.pens[0], self.line, cv2.LINE_AA)

    def _put(self, mask: Picture, x: float, y: float, color: Color) -> None:
        stamp(self.color, mask, x, y, color)
        if self.look.clear:
            stamp(self.solid[..., None], mask, x, y, (255,))

    def extras(self) -> None:
        """Tape, stickers, a brand, a colour stripe: each on some boards only."""
        if self.rng.random() < 0.2:
            for _ in range(int(self.rng.integers(1, 7))):
                self._tape()
        if self.rng.random() < 0.12:
            self._stripe()
        if self.rng.random() < 0.2:
            self._brand()
        if self.rng.random() < 0.15:
            cv2.rectangle(self.color, (0, 0), (self.wide - 1, self.high - 1), self.look.ink, self.line * 2)

    def _tape(self) -> None:
        wide, high = self.unit * self.rng.uniform(0.08, 0.4), self.unit * self.rng.uniform(0.04, 0.09)
        x, y = (
            self.rng.uniform(0, self.wide - wide),
            self.rng.uniform(self.look.top * self.unit, self.high - high),
        )
        color = _TAPES[int(self.rng.integers(len(_TAPES)))]
        self._strip(x, y, x + wide, y + high)
        cv2.rectangle(self.color, (int(x), int(y)), (int(x + wide), int(y + high)), color, -1)
        if self.rng.random() < 0.6:
            mask = handwritten(word(self.rng).upper(), high * 0.6, self.rng)
            stamp(self.color[: int(y + high), : int(x + wide)], mask, x + 2, y, (15, 15, 15))

    def _stripe(self) -> None:
        count, y = int(self.rng.integers(5, 12)), int(self.high - self.unit * self.rng.uniform(0.03, 0.07))
        for place in range(count):
            x0, x1 = self.wide * place // count, self.wide * (place + 1) // count
            cv2.rectangle(self.color, (x0, y), (x1, self.high), tuple(self.rng.uniform(10, 250, 3)), -1)

    def _brand(self) -> None:
        mask = printed(word(self.rng).upper(), self.unit * float(self.rng.uniform(0.02, 0.05)), self.face)
        x, y = self.rng.uniform(0.05, 0.8) * self.wide, self.rng.uniform(0.3, 0.92) * self.high
        self._put(mask, x, y, tuple(self.rng.uniform(20, 230, 3)))


def _rows(style: str, rng: np.random.Generator) -> list[tuple[float, list[str]]]:
    """Rows of a printed form: relative height and fields."""
    numbers = ["ROLL", str(rng.choice(["SCENE", "SLATE", "SHOT"])), "TAKE"]
    if rng.random() < 0.4:
        numbers = numbers[1:] + numbers[:1]
    title = str(rng.choice(["PROD.", "PRODUCTION", "TITLE", "PROD. NO."]))
    people = [["DIRECTOR"], [str(rng.choice(["CAMERA", "CAMERAMAN", "D.O.P."]))]]
    if rng.random() < 0.3:
        people[1] = [people[1][0], "CAM"]
    last = ["DATE", "FLAGS"] if rng.random() < 0.6 else ["DATE", "SOUND", "FPS"]
    tall, flat = float(rng.uniform(1.6, 3.0)), 1.0
    rows: list[tuple[float, list[str]]] = [(tall, numbers), *((flat, p) for p in people), (flat, last)]
    rows.insert(int(rng.integers(0, 2)), (flat, [title]))
    if style == "digital" or rng.random() < 0.05:
        rows.insert(int(rng.integers(0, 3)), (float(rng.uniform(1.3, 2.2)), ["LED"]))
    if rng.random() < 0.2:
        rows.pop(int(rng.integers(2, len(rows))))
    return rows
