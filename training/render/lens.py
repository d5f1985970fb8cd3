"""What the camera, the grade and the encoder do to a picture: light, blur, grain, overlays, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.render.geometry import Floats, Picture
from training.render.lettering import faces, printed, stamp, word
from training.render.surfaces import soft_noise


@dataclass(frozen=True)
class Grade:
    """One camera's look, the same through a clip."""

    exposure: float
    gamma: float
    balance: tuple[float, ...]
    saturation: float
    lift: float
    vignette: float
    defocus: float  # of the whole picture, in pixels at 640
    shake: tuple[float, float]  # motion blur: length in pixels at 640, degrees
    grain: float
    shrink: float  # recorded this much smaller than shown
    sharpen: float
    letterbox: float  # the picture's share of the height, 1 for none
    seed: int


def choose_grade(rng: np.random.Generator) -> Grade:
    kind = rng.choice(
        ["plain", "dark", "bright", "log", "mono", "cast"], p=[0.62, 0.08, 0.08, 0.06, 0.06, 0.1]
    )
    exposure = {"dark": rng.uniform(0.2, 0.6), "bright": rng.uniform(1.2, 1.8)}.get(
        str(kind), rng.uniform(0.75, 1.2)
    )
    spread = 0.25 if kind == "cast" else 0.06
    soft = rng.random()
    return Grade(
        exposure=float(exposure),
        gamma=float(np.exp(rng.normal(0, 0.16))),
        balance=tuple(np.exp(rng.normal(0, spread, 3))),
        saturation=0.0
        if kind == "mono"
        else float(rng.uniform(0.35, 0.6) if kind == "log" else rng.uniform(0.6, 1.3)),
        lift=float(rng.uniform(30, 75) if kind == "log" else rng.uniform(0, 16)),
        vignette=float(rng.uniform(0.1, 0.6)) if rng.random() < 0.3 else 0.0,
        defocus=float(rng.uniform(0.5, 2.6)) if soft < 0.22 else 0.0,
        shake=(float(rng.uniform(2, 13)), float(rng.uniform(0, 180))) if rng.random() < 0.12 else (0.0, 0.0),
        grain=float(min(rng.exponential(3.0), 14)) if rng.random() < 0.6 else 0.0,
        shrink=float(rng.uniform(0.3, 0.9)) if rng.random() < 0.3 else 1.0,
        sharpen=float(rng.uniform(0.2, 1.0)) if rng.random() < 0.15 else 0.0,
        letterbox=float(rng.uniform(0.7, 0.9)) if rng.random() < 0.1 else 1.0,
        seed=int(rng.integers(2**31)),
    )


def line_kernel(length: float, degrees: float) -> Floats:
    """A motion blur kernel: a line of `length` pixels."""
    size = max(3, int(np.ceil(length)) | 1)
    kernel = np.zeros((size, size), np.float32)
    half = np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]) * length / 2
    middle = (size - 1) / 2
    ends = [tuple(int(v) for v in np.round((middle + sign * half) * 16)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, 4)
    return kernel / max(float(kernel.sum()), 1e-6)


def shine(rng: np.random.Generator, shape: tuple[int, int], reflected: Picture | None) -> Floats:
    """Light to add on a glossy board (H x W x 3, 0 to 255): a soft band, a lamp, a reflected room."""
    high, wide = shape
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    lean = np.float32(rng.uniform(0, np.pi))
    along = (x * np.cos(lean) + y * np.sin(lean)) / max(high, wide, 1)
    glow = np.exp(-(((along - rng.uniform(-0.2, 1.2)) / rng.uniform(0.04, 0.35)) ** 2)) * rng.uniform(20, 150)
    if rng.random() < 0.3:
        far = np.hypot(x - rng.uniform(0, wide), y - rng.uniform(0, high)) / max(
            wide * rng.uniform(0.05, 0.3), 1
        )
        glow = glow + np.exp(-(far**2)) * rng.uniform(60, 255)
    light = np.repeat(glow[..., None], 3, axis=2)
    if reflected is not None:
        light = light * 0.5 + reflected * float(rng.uniform(0.1, 0.5))
    return light.astype(np.float32)


def falloff(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Uneven light over a region (H x W x 1): a slope, or the edge of a shadow."""
    high, wide = shape
    low = float(rng.uniform(0.35, 0.95))
    field = soft_noise(rng, wide, high, cells=1 if rng.random() < 0.7 else 3)
    if rng.random() < 0.12:
        field = cv2.GaussianBlur(
            (field > 0.5).astype(np.float32), (0, 0), max(1.0, wide / float(rng.uniform(20, 90)))
        )
    return np.asarray(low + (1.08 - low) * field, np.float32)[..., None]


def develop(picture: Picture, grade: Grade) -> Picture:
    """The whole picture through one camera's look; overlays and compression come after."""
    rng = np.random.default_rng(grade.seed)
    high, wide = picture.shape[:2]
    unit = max(high, wide) / 640
    if grade.defocus:
        picture = cv2.GaussianBlur(picture, (0, 0), grade.defocus * unit)
    if grade.shake[0] * unit > 1.5:
        picture = cv2.filter2D(picture, -1, line_kernel(grade.shake[0] * unit, grade.shake[1]))
    if grade.shrink < 1:
        small = (max(16, int(wide * grade.shrink)), max(16, int(high * grade.shrink)))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    picture = _toned(picture, grade)
    if grade.vignette:
        picture = _vignetted(picture, grade.vignette)
    if grade.grain:
        picture = add_grain(picture, grade.grain, rng)
    if picture.shape[:2] != (high, wide):
        how = (cv2.INTER_LINEAR, cv2.INTER_CUBIC)[int(rng.random() < 0.5)]
        picture = cv2.resize(picture, (wide, high), interpolation=how)
    if grade.sharpen:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2 * unit)
        picture = cv2.addWeighted(picture, 1 + grade.sharpen, soft, -grade.sharpen, 0)
    if grade.letterbox < 1:
        bar = round(high * (1 - grade.letterbox) / 2)
        picture = np.array(picture)
        picture[:bar] = picture[high - bar :] = 0
    return np.asarray(picture, np.uint8)


def _toned(picture: Picture, grade: Grade) -> Picture:
    if grade.saturation != 1:
        grey = np.array([0.299, 0.587, 0.114])
        mix = grade.saturation * np.eye(3) + (1 - grade.saturation) * np.tile(grey, (3, 1))
        picture = cv2.transform(picture, mix)
    ramp = (np.arange(256) / 255) ** grade.gamma * 255 * grade.exposure
    table = grade.lift + ramp[:, None] * grade.balance * (1 - grade.lift / 255)
    shoulder = np.where(table > 220, 220 + (table - 220) * 0.6, table)
    return np.asarray(cv2.LUT(picture, np.clip(shoulder, 0, 255).astype(np.uint8)[None]), np.uint8)


def _vignetted(picture: Picture, depth: float) -> Picture:
    high, wide = picture.shape[:2]
    x, y = np.linspace(-1, 1, wide, dtype=np.float32), np.linspace(-1, 1, high, dtype=np.float32)
    shade = 1 - np.float32(depth) * np.minimum((x[None] ** 2 + y[:, None] ** 2) / 2, 1)
    return cv2.multiply(picture, cv2.merge([shade] * 3), dtype=cv2.CV_8U)


def add_grain(picture: Picture, amount: float, rng: np.random.Generator) -> Picture:
    """Film grain or sensor noise of `amount` grey levels, coarse or fine, in colour or grey."""
    high, wide = picture.shape[:2]
    coarse = float(rng.uniform(1, 2.2))
    shape = (int(high / coarse) + 1, int(wide / coarse) + 1)
    if rng.random() < 0.5:
        grey = rng.standard_normal(shape, np.float32) * np.float32(amount)
        noise: Floats = cv2.merge([cv2.resize(grey, (wide, high))] * 3)
    else:
        noise = cv2.resize(rng.standard_normal((*shape, 3), np.float32) * np.float32(amount), (wide, high))
    return cv2.add(picture, noise, dtype=cv2.CV_8U)


def overlay(picture: Picture, rng: np.random.Generator) -> None:
    """Burnt-in text and viewfinder lines, in place: time code, subtitle, corner brackets, frame guides."""
    high, wide = picture.shape[:2]
    face = faces()[int(rng.integers(len(faces())))]
    color = ((255, 255, 255), (255, 255, 255), (60, 255, 60), (255, 230, 60), (255, 60, 60))[
        int(rng.integers(5))
    ]
    for _ in range(int(rng.integers(1, 4))):
        match int(rng.integers(4)):
            case 0:
                clock = ":".join(f"{n:02d}" for n in rng.integers(0, (24, 60, 60, 24)))
                _caption(picture, rng, clock, face, color)
            case 1:
                _caption(
                    picture, rng, " ".join(word(rng) for _ in range(int(rng.integers(2, 7)))), face, color
                )
            case 2:
                x0, y0 = int(wide * rng.uniform(0, 0.7)), int(high * rng.uniform(0, 0.7))
                x1, y1 = x0 + int(wide * rng.uniform(0.08, 0.5)), y0 + int(high * rng.uniform(0.1, 0.6))
                cv2.rectangle(picture, (x0, y0), (x1, y1), color, max(1, wide // 500))
            case _:
                _brackets(picture, rng, color)


def _caption(
    picture: Picture, rng: np.random.Generator, text: str, face: str | None, color: tuple[int, int, int]
) -> None:
    high, wide = picture.shape[:2]
    mask = printed(text, high * float(rng.uniform(0.02, 0.06)), face)[:, :wide]
    x = (wide - mask.shape[1]) * float(rng.choice([0.5, rng.uniform(0, 1)]))
    y = high * float(rng.choice([rng.uniform(0.82, 0.93), rng.uniform(0.01, 0.9)]))
    if rng.random() < 0.4:
        corner = (int(x + mask.shape[1]), int(y + mask.shape[0]))
        cv2.rectangle(picture, (int(x) - 3, int(y) - 2), (corner[0] + 3, corner[1] + 2), (0, 0, 0), -1)
    stamp(picture, mask, x, y, color)


def _brackets(picture: Picture, rng: np.random.Generator, color: tuple[int, int, int]) -> None:
    high, wide = picture.shape[:2]
    x0, y0 = int(wide * rng.uniform(0.02, 0.5)), int(high * rng.uniform(0.02, 0.5))
    x1, y1 = int(wide * rng.uniform(0.6, 0.98)), int(high * rng.uniform(0.6, 0.98))
    arm, thick = max(4, int(wide * 0.03)), max(1, wide // 400)
    for x, right in ((x0, 1), (x1, -1)):
        for y, down in ((y0, 1), (y1, -1)):
            cv2.line(picture, (x, y), (x + right * arm, y), color, thick)
            cv2.line(picture, (x, y), (x, y + down * arm), color, thick)


def compress(picture: Picture, quality: int) -> Picture:
    """JPEG there and back."""
    ok, stored = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    again = cv2.imdecode(stored, cv2.IMREAD_COLOR) if ok else None
    if again is None:
        raise RuntimeError("JPEG encoding failed")
    return np.asarray(again[..., ::-1], np.uint8)
