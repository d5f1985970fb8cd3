"""Soft noise, wood and cloth: what surfaces are textured with."""

from __future__ import annotations

import cv2
import numpy as np

from training.render.geometry import Floats, Picture


def soft_noise(rng: np.random.Generator, wide: int, high: int, *, cells: int) -> Floats:
    """Smooth noise, 0 to 1, with about `cells` bumps across."""
    rough = rng.random((cells + 2, cells + 2), np.float32)
    grown = cv2.resize(rough, (max(1, wide), max(1, high)), interpolation=cv2.INTER_CUBIC)
    return np.clip(grown, 0, 1).astype(np.float32)


def wood(rng: np.random.Generator, wide: int, high: int, color: tuple[float, ...]) -> Picture:
    """Grain running from left to right."""
    grain = cv2.resize(
        rng.random((max(2, high // 2), 6), np.float32), (wide, high), interpolation=cv2.INTER_LINEAR
    )
    bands = soft_noise(rng, wide, high, cells=5)
    shade = 0.75 + 0.25 * grain + 0.25 * (bands - 0.5)
    return np.clip(np.asarray(color, np.float32) * shade[..., None], 0, 255).astype(np.uint8)


def cloth(rng: np.random.Generator, wide: int, high: int, color: tuple[float, ...]) -> Picture:
    """Plain, striped or checked cloth with folds."""
    shade = 0.6 + 0.6 * soft_noise(rng, wide, high, cells=int(rng.integers(2, 6)))
    out = np.asarray(color, np.float32) * shade[..., None]
    kind, period = rng.random(), float(rng.uniform(4, 30))
    other = rng.uniform(0, 255, 3).astype(np.float32)
    if kind < 0.25:
        along = (np.arange(wide) % period < period * rng.uniform(0.2, 0.6))[None, :, None]
        out = np.where(along, out * 0.5 + other * 0.4, out)
    if kind < 0.15:
        down = (np.arange(high) % period < period * rng.uniform(0.2, 0.6))[:, None, None]
        out = np.where(down, out * 0.6 + other * 0.3, out)
    return np.clip(out, 0, 255).astype(np.uint8)
