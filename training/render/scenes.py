"""What is behind the slate: photographs from a folder, or drawn scenes where there are none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from training.render.geometry import Picture
from training.render.hands import draw_person
from training.render.surfaces import soft_noise

_ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


class Backgrounds:
    """Photographs to put slates into, read once and kept small; without a folder every scene is drawn."""

    def __init__(self, folder: Path | None = None, *, longest_side: int = 1280) -> None:
        found = sorted(folder.rglob("*")) if folder else []
        self.paths: Sequence[Path] = [p for p in found if p.suffix.lower() in _ENDINGS]
        if folder and not self.paths:
            raise FileNotFoundError(f"no photographs in {folder}")
        self._longest = longest_side
        self._read: dict[Path, Picture] = {}

    def photo(self, rng: np.random.Generator) -> Picture | None:
        """One photograph, whole, RGB; None where there are none."""
        if not self.paths:
            return None
        path = self.paths[int(rng.integers(len(self.paths)))]
        if path not in self._read:
            self._read[path] = self._load(path)
        return self._read[path]

    def _load(self, path: Path) -> Picture:
        stored = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if stored is None:
            raise ValueError(f"{path} is not a picture")
        shrink = min(1.0, self._longest / max(stored.shape[:2]))
        small = cv2.resize(stored, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)

    def scene(
        self, rng: np.random.Generator, wide: int, high: int, *, drawn: float = 0.15, calm: bool = False
    ) -> Picture:
        """A background of the given size; `drawn` is the share of drawn ones where there are photographs.

        `calm`: nearly the whole of one photograph, as it is.
        """
        photo = self.photo(rng)
        if photo is None or rng.random() < drawn:
            return drawn_scene(rng, wide, high)
        if calm:
            return crop(rng, photo, wide, high, closest=0.85, change=0.1)
        picture = crop(rng, photo, wide, high)
        if rng.random() < 0.12:  # a second photograph beside the first: more rooms than there are photographs
            other = crop(rng, self.photo(rng) if self.paths else photo, wide, high)  # type: ignore[arg-type]
            cut = int(wide * rng.uniform(0.25, 0.75))
            picture[:, :cut] = other[:, :cut]
        return picture


class FarAway(Backgrounds):
    """Scenes as they look far behind a slate that is in focus: soft, dim, and with little colour."""

    def scene(
        self, rng: np.random.Generator, wide: int, high: int, *, drawn: float = 0.15, calm: bool = False
    ) -> Picture:
        sharp = super().scene(rng, wide, high, drawn=drawn, calm=calm)
        soft = cv2.GaussianBlur(sharp, (0, 0), wide / 110).astype(np.float32)
        grey = soft.mean(axis=2, keepdims=True)
        dim = (grey + 0.22 * (soft - grey)) * np.array([0.66, 0.62, 0.57], np.float32) + 10
        shown: Picture = np.clip(dim, 0, 255).astype(np.uint8)
        return shown


def crop(
    rng: np.random.Generator,
    photo: Picture,
    wide: int,
    high: int,
    *,
    closest: float = 0.35,
    change: float = 1.0,
) -> Picture:
    """A random part of a photograph at the given size, perhaps mirrored, with its colours moved.

    `closest` is the smallest share of the photograph that may fill the picture; `change` is how far colours
    and focus move, 0 to 1.
    """
    tall, broad = photo.shape[:2]
    fit = min(broad / wide, tall / high)
    part = fit * float(rng.uniform(closest, 1.0))
    w, h = int(wide * part), int(high * part)
    x, y = int(rng.integers(0, broad - w + 1)), int(rng.integers(0, tall - h + 1))
    how = cv2.INTER_AREA if part > 1 else cv2.INTER_LINEAR
    out = cv2.resize(photo[y : y + h, x : x + w], (wide, high), interpolation=how)
    if rng.random() < 0.5:
        out = out[:, ::-1]
    gains = (rng.uniform(0.5, 1.25) * rng.uniform(0.88, 1.12, 3)) ** change
    ramp = np.arange(256, dtype=np.float32)[:, None] * gains
    table = np.clip(ramp, 0, 255).astype(np.uint8)
    out = cv2.LUT(np.ascontiguousarray(out), table[None])
    if rng.random() < 0.45 * change:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.6, max(1.0, wide / 90))))
    return np.asarray(out, np.uint8)


def drawn_scene(rng: np.random.Generator, wide: int, high: int) -> Picture:
    """A room or landscape of gradients, blurred shapes and people, out of focus or not."""
    first, second = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3)
    if rng.random() < 0.5:
        second = first * rng.uniform(0.4, 1.2)
    across = soft_noise(rng, wide, high, cells=int(rng.integers(1, 5)))[..., None]
    picture = np.clip(first * across + second * (1 - across), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 18))):
        _shape(picture, rng)
    if rng.random() < 0.6:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.8, wide / 40)))
    gain = np.full(3, rng.uniform(0.3, 1.1), np.float32)
    for _ in range(int(rng.integers(0, 3))):
        head = high * float(rng.uniform(0.12, 0.45))
        seed = int(rng.integers(2**31))
        draw_person(picture, float(rng.uniform(0, wide)), float(rng.uniform(0, high * 0.6)), head, gain, seed)
    if rng.random() < 0.5:
        grain = cv2.resize(rng.normal(0, 14, (high // 2, wide // 2)).astype(np.float32), (wide, high))
        picture = np.clip(picture + grain[..., None], 0, 255).astype(np.uint8)
    return np.asarray(picture, np.uint8)


def _shape(picture: Picture, rng: np.random.Generator) -> None:
    high, wide = picture.shape[:2]
    color = tuple(float(v) for v in rng.uniform(0, 255, 3))
    x, y = int(rng.uniform(0, wide)), int(rng.uniform(0, high))
    w, h = int(wide * rng.uniform(0.02, 0.4)), int(high * rng.uniform(0.02, 0.7))
    match int(rng.integers(4)):
        case 0:
            cv2.rectangle(picture, (x, y), (x + w, y + h), color, -1)
        case 1:
            cv2.ellipse(
                picture, (x, y), (w // 2 + 1, h // 2 + 1), rng.uniform(0, 180), 0, 360, color, -1, cv2.LINE_AA
            )
        case 2:
            corners = rng.uniform(-1, 1, (int(rng.integers(3, 7)), 2)) * [w, h] + [x, y]
            cv2.fillPoly(picture, [corners.astype(np.int32)], color, cv2.LINE_AA)
        case _:
            cv2.line(
                picture,
                (x, y),
                (x + w, y + int(rng.integers(-h, h + 1))),
                color,
                max(1, w // 12),
                cv2.LINE_AA,
            )
