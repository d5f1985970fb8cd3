"""Things that look a little like a slate and are none: they never carry a label."""

from __future__ import annotations

import cv2
import numpy as np

from training.render.geometry import Layer, Picture, Pose, Region, lay, premultiplied, project, scale, shift
from training.render.lettering import entry, faces, handwritten, led, printed, stamp, word
from training.render.scenes import Backgrounds, crop
from training.render.surfaces import soft_noise, wood

KINDS = (
    "stripes", "fence", "checker", "whiteboard", "book", "laptop", "sign", "paper", "form", "barrier",
    "film strip", "monitor", "tape", "door", "poster", "clock", "color chart",
)  # fmt: skip
_SHAPES = {
    "barrier": 5.0,
    "tape": 6.0,
    "film strip": 4.0,
    "book": 0.72,
    "door": 0.5,
    "paper": 0.75,
    "stripes": 2.5,
}


def draw_distractor(
    picture: Picture, rng: np.random.Generator, backgrounds: Backgrounds, kind: str, pose: Pose, gain: float
) -> None:
    """Lay one thing onto the picture, in place; pose.width is its width in pixels."""
    shape = _SHAPES.get(kind, float(rng.uniform(0.8, 1.7))) * float(rng.uniform(0.85, 1.15))
    wide = int(np.clip(pose.width, 24, 480))
    high = max(6, int(wide / shape))
    texture = np.clip(_paint(kind, rng, wide, high, backgrounds) * gain, 0, 255).astype(np.uint8)
    to_plane = scale(1 / wide, 1 / wide) @ shift(-1, -1)
    layer = Layer(premultiplied(texture, np.full((high, wide), 255, np.uint8)), to_plane)
    matrix = pose.homography((0.5, high / wide / 2))
    corners = project(matrix, np.array([[0, 0], [1, 0], [1, high / wide], [0, high / wide]]))
    region = Region.around(corners, picture.shape[1], picture.shape[0])
    if not region.empty:
        seen = layer.warp(matrix, region)
        if rng.random() < 0.5:
            seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.5, 1.5)))
        lay(picture, np.asarray(seen, np.float32), region)


def _paint(kind: str, rng: np.random.Generator, wide: int, high: int, backgrounds: Backgrounds) -> Picture:
    pale, dark = rng.uniform(190, 255, 3), rng.uniform(5, 60, 3)
    flat = np.full((high, wide, 3), pale).astype(np.uint8)
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    period = max(4.0, wide / float(rng.uniform(4, 14)))
    match kind:
        case "stripes" | "barrier" | "tape":
            colors = [pale, dark] if rng.random() < 0.5 else [rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)]
            if kind != "stripes" and rng.random() < 0.5:
                colors = (
                    [np.array([240, 200, 30]), dark]
                    if rng.random() < 0.5
                    else [pale, np.array([210, 40, 40])]
                )
            band = ((x + y * float(rng.uniform(-1.5, 1.5))) // (period / 2)).astype(int) % len(colors)
            return np.asarray(np.array(colors)[band], np.uint8)
        case "fence":
            gap = np.where((x % period) < period * 0.6, 1.0, 0.25)[..., None]
            return np.asarray(
                pale * gap * (0.8 + 0.2 * soft_noise(rng, wide, high, cells=6)[..., None]), np.uint8
            )
        case "checker":
            odd = ((x // (period / 2)).astype(int) + (y // (period / 2)).astype(int)) % 2
            return np.asarray(np.array([pale, dark])[odd], np.uint8)
        case "monitor" | "laptop" | "poster":
            photo = backgrounds.photo(rng)
            inner = (
                np.full_like(flat, dark.astype(np.uint8)) if photo is None else crop(rng, photo, wide, high)
            )
            cv2.rectangle(inner, (0, 0), (wide - 1, high - 1), tuple(dark), max(1, wide // 20))
            if kind == "laptop":
                inner[int(high * 0.8) :] = rng.uniform(60, 200, 3)
            return np.asarray(inner, np.uint8)
        case "door":
            panel = wood(rng, wide, high, tuple(rng.uniform(60, 240, 3)))
            for top in (0.08, 0.55):
                corners = (int(wide * 0.15), int(high * top)), (int(wide * 0.85), int(high * (top + 0.37)))
                cv2.rectangle(panel, *corners, tuple(dark), max(1, wide // 60))
            return panel
        case "film strip":
            strip = np.full((high, wide, 3), dark).astype(np.uint8)
            for left in np.arange(0, wide, period / 2):
                for top in (0.04, 0.86):
                    hole = (int(left), int(high * top)), (int(left + period / 4), int(high * (top + 0.1)))
                    cv2.rectangle(strip, *hole, tuple(pale), -1)
                frame = (int(left * 2), int(high * 0.2)), (int(left * 2 + period * 0.9), int(high * 0.8))
                cv2.rectangle(strip, *frame, tuple(rng.uniform(40, 200, 3)), -1)
            return strip
        case "clock":
            face = np.full((high, wide, 3), dark).astype(np.uint8)
            mask = led(f"{rng.integers(24):02d}:{rng.integers(60):02d}", high * 0.5)
            mask = cv2.resize(mask, (int(wide * 0.9), mask.shape[0]))
            stamp(face, mask, wide * 0.05, high * 0.2, (255, 60, 40))
            return face
        case "color chart":
            cells = rng.uniform(0, 255, (int(rng.integers(1, 5)), int(rng.integers(4, 9)), 3)).astype(
                np.uint8
            )
            return np.asarray(cv2.resize(cells, (wide, high), interpolation=cv2.INTER_NEAREST), np.uint8)
    return _lettered(kind, rng, flat if rng.random() < 0.7 else np.full_like(flat, dark.astype(np.uint8)))


def _lettered(kind: str, rng: np.random.Generator, page: Picture) -> Picture:
    """Whiteboards, books, signs, papers and forms: text without sticks."""
    high, wide = page.shape[:2]
    light = page[0, 0].sum() > 380
    if kind in ("book", "sign"):
        page[:] = rng.uniform(10, 245, 3)
        light = page[0, 0].sum() > 380
    ink = tuple(rng.uniform(0, 70, 3)) if light else tuple(rng.uniform(190, 255, 3))
    lines = int(rng.integers(2, 6) if kind in ("book", "sign") else rng.integers(4, 14))
    step = high / (lines + 1)
    face = faces()[int(rng.integers(len(faces())))]
    for line in range(lines):
        text = entry("TITLE", rng) if rng.random() < 0.7 else word(rng).upper()
        by_hand = kind == "whiteboard" or (kind == "form" and rng.random() < 0.6)
        mask = handwritten(text, step * 0.6, rng) if by_hand else printed(text, step * 0.5, face)
        stamp(page, mask, wide * float(rng.uniform(0.03, 0.4)), step * (line + 0.4), ink)
        if kind == "form":
            cv2.line(page, (0, int(step * (line + 1.2))), (wide, int(step * (line + 1.2))), ink, 1)
    if rng.random() < 0.5:
        cv2.rectangle(page, (0, 0), (wide - 1, high - 1), tuple(rng.uniform(0, 255, 3)), max(1, wide // 40))
    return page
