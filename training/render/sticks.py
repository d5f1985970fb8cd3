"""The two sticks of a slate: stripes, hinge, bolts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.render.geometry import Layer, Picture, premultiplied, scale, shift
from training.render.lettering import Color
from training.render.surfaces import soft_noise, wood

_CHART: tuple[Color, ...] = (
    (30, 150, 70), (250, 220, 40), (40, 120, 210), (220, 45, 50), (240, 240, 240), (190, 185, 180),
    (140, 135, 130), (95, 90, 88), (60, 170, 200), (60, 60, 190), (115, 80, 65), (195, 150, 130),
    (210, 70, 150), (240, 130, 40),
)  # fmt: skip
KINDS = ("black and white", "chart", "chart and greys", "plain", "wood", "two colours")
_ODDS = (0.5, 0.14, 0.2, 0.04, 0.06, 0.06)


@dataclass(frozen=True)
class SticksLook:
    """Both sticks. Lengths are in board widths; the upper stick turns about (pivot_x, pivot_y)."""

    kind: str
    thick: float
    length: float
    left: float  # where the upper stick begins; the hinge is at the left before `hinge_right` mirrors
    pivot_x: float
    pivot_y: float
    lift: float  # a hinge that also lifts the stick: how far, at a right angle
    hinge_right: bool
    upper: tuple[Color, ...]  # stripes from the hinge on
    lower: tuple[Color, ...]
    slope: float  # how far a stripe leans across the stick's thickness, in thicknesses
    chevron: bool  # the lower stick leans the other way
    rest: float  # how much of the hinge end is plain
    body: Color
    seam: float  # how dark the line is where the sticks meet, 0 to 1
    bolts: int
    seed: int


def choose_sticks(rng: np.random.Generator) -> SticksLook:
    kind = str(rng.choice(KINDS, p=_ODDS))
    thick = float(np.clip(rng.normal(0.092, 0.018), 0.055, 0.14))
    body: Color = tuple(rng.uniform(8, 60) * np.ones(3) + rng.normal(0, 3, 3))
    if kind in ("wood", "plain") and rng.random() < 0.6:
        body = (float(rng.uniform(130, 220)), float(rng.uniform(95, 165)), float(rng.uniform(50, 110)))
    stripes = _stripes(kind, body, rng)
    bare = rng.random() < 0.07  # a lower stick without stripes
    return SticksLook(
        kind=kind,
        thick=thick,
        length=float(rng.choice([1.0, rng.uniform(0.96, 1.04)])),
        left=float(rng.choice([0.0, rng.uniform(-0.02, 0.02)])),
        pivot_x=float(rng.uniform(0.015, 0.09)),
        pivot_y=float(rng.uniform(-0.6, 0.3)) * thick,
        lift=float(rng.uniform(0.05, 0.3)) if rng.random() < 0.3 else 0.0,
        hinge_right=bool(rng.random() < 0.22),
        upper=stripes,
        lower=(body,) * len(stripes) if bare else stripes,
        slope=float(rng.choice([-1, 1]) * rng.uniform(0.35, 1.3)),
        chevron=bool(rng.random() < 0.7),
        rest=float(rng.uniform(0.0, 0.3)),
        body=body,
        seam=float(rng.choice([0.0, rng.uniform(0.2, 1.0)], p=[0.3, 0.7])),
        bolts=int(rng.integers(0, 4)),
        seed=int(rng.integers(2**31)),
    )


def _stripes(kind: str, body: Color, rng: np.random.Generator) -> tuple[Color, ...]:
    pale: Color = tuple(rng.uniform(190, 255) * np.ones(3))
    count = int(rng.integers(6, 15))
    if kind == "plain":
        return (body,) * count
    if kind == "chart":
        return tuple(_CHART[i] for i in rng.permutation(len(_CHART))[: min(count, 12)])
    if kind == "chart and greys":
        greys: list[Color] = [(g, g, g) for g in np.linspace(245, 60, int(rng.integers(2, 6)))]
        colors = [_CHART[i] for i in ((0, 1, 2, 3) if rng.random() < 0.6 else rng.permutation(4))]
        return (*colors, *greys)
    dark: Color = tuple(rng.uniform(20, 240, 3)) if kind == "two colours" else body
    return tuple(dark if i % 2 else pale for i in range(count))


def draw_sticks(look: SticksLook, resolution: float) -> tuple[Layer, Picture]:
    """The upper stick's layer, and the lower stick's RGB texture to be painted onto the head of the board."""
    rng = np.random.default_rng(look.seed)
    high = max(2, round(look.thick * resolution))
    upper = _paint(look, look.upper, round(look.length * resolution), high, rng, look.slope)
    lower = _paint(
        look, look.lower, round(resolution), high, rng, -look.slope if look.chevron else look.slope
    )
    if look.seam:
        edge = max(1, high // 12)
        lower[:edge] = (lower[:edge] * (1 - look.seam)).astype(np.uint8)
    if look.hinge_right:
        upper, lower = upper[:, ::-1], lower[:, ::-1]
    # the texture may be a pixel off in height: the plane decides, so that closed sticks always touch
    wide = look.length / upper.shape[1]
    left = look.left if not look.hinge_right else 1 - look.left - look.length
    to_plane = shift(left, -look.thick) @ scale(wide, look.thick / upper.shape[0]) @ shift(-1, -1)
    solid = np.full(upper.shape[:2], 255, np.uint8)
    return Layer(premultiplied(np.ascontiguousarray(upper), solid), to_plane), np.ascontiguousarray(lower)


def _paint(
    look: SticksLook, stripes: tuple[Color, ...], wide: int, high: int, rng: np.random.Generator, slope: float
) -> Picture:
    if look.kind == "wood":
        color = wood(rng, wide, high, look.body)
    else:
        color = np.full((high, wide, 3), look.body, np.float64).astype(np.uint8)
    start, lean = look.rest * wide, slope * high
    step = (wide - start) / len(stripes)
    for place, stripe in enumerate(stripes):
        x0, x1 = (
            start + place * step,
            start + (place + 1) * step + (1 if place < len(stripes) - 1 else high * 2),
        )
        corners = np.array(
            [[x0 - lean / 2, 0], [x1 - lean / 2, 0], [x1 + lean / 2, high], [x0 + lean / 2, high]]
        )
        if look.kind == "wood" and stripe == look.body:
            continue
        cv2.fillConvexPoly(color, (corners * 16).astype(np.int32), stripe, cv2.LINE_AA, 4)
    worn = 0.92 + 0.1 * soft_noise(rng, wide, high, cells=4)[..., None]
    color = np.clip(color * worn, 0, 255).astype(np.uint8)
    rim = max(1, high // 9)
    color[:rim] = np.clip(color[:rim] * float(rng.uniform(0.7, 1.4)), 0, 255)
    color[-rim:] = np.clip(color[-rim:] * float(rng.uniform(0.6, 1.15)), 0, 255)
    for place in range(look.bolts):
        at = (round(high * (0.5 + place * 0.9)), round(high * (0.35 + 0.3 * (place % 2))))
        cv2.circle(color, at, max(1, round(high * 0.1)), (150, 150, 155), -1, cv2.LINE_AA)
    return color
