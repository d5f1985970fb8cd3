"""One take before the camera: a slate, a place, a light, a motion. Any frame of it can be drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import cv2
import numpy as np

from training.render.geometry import Floats, Picture, Pose, box_around
from training.render.lens import Grade, add_grain, choose_grade, develop
from training.render.motion import KINDS, SHUTTER, Script, choose_script, clap_frame
from training.render.scenes import Backgrounds
from training.render.slates import SlateLook, choose_slate, draw_slate, silhouette
from training.render.staging import (
    RenderedSlate,
    Staged,
    choose_grips,
    lay_slate,
    light_slate,
    scene_light,
    stick_grip,
    truth_of,
)

_ROOM = 1.12  # the place is this much larger than the picture: room to pan


@dataclass(frozen=True)
class Shot:
    """Everything about one take. Frames are drawn one at a time, in any order, and always the same."""

    kind: str
    rate: Fraction
    size: tuple[int, int]
    frames: int
    seed: int
    script: Script | None
    look: SlateLook
    base: Pose
    grade: Grade
    place: Picture
    drift: tuple[float, float, float]

    @property
    def claps(self) -> tuple[int, ...]:
        """The clap frames: the first ones in which the sticks are shut."""
        closings = self.script.closings if self.script else ()
        frames = [clap_frame(closing.contact, self.rate) for closing in closings]
        return tuple(frame for frame in frames if frame < self.frames)

    @property
    def contacts(self) -> tuple[float, ...]:
        """When the sticks meet, in seconds."""
        closings = self.script.closings if self.script else ()
        return tuple(c.contact for c in closings if clap_frame(c.contact, self.rate) < self.frames)

    def frame(self, number: int) -> tuple[Picture, RenderedSlate | None]:
        """The picture of a frame, and what is true about the slate in it."""
        picture = self._background(number)
        truth = self.truth(number)
        if truth:
            exposed = np.linspace(number, number + SHUTTER, 7) / float(self.rate)
            staged = self._staged_at(number)
            lay_slate(picture, staged, self._pose(number), self._angles(list(exposed)))
        return self._grainy(develop(picture, replace(self.grade, grain=0.0)), number), truth

    def truth(self, number: int) -> RenderedSlate | None:
        """What is true about the slate at the middle of the frame's exposure."""
        time = (number + SHUTTER / 2) / float(self.rate)
        if not self.script or not self.script.seen(time):
            return None
        return truth_of(self._staged.slate, self._pose(number), self.script.angle(time), self.size)

    def _angles(self, times: list[float]) -> list[float]:
        assert self.script
        angles = [self.script.angle(time) for time in times]
        return angles if max(angles) - min(angles) > 0.4 else [angles[len(angles) // 2]]

    def _pose(self, number: float) -> Pose:
        assert self.script
        return self.script.pose(self.base, (number + SHUTTER / 2) / float(self.rate), self.size)

    def _background(self, number: int) -> Picture:
        (wide, high), (speed, way, wobble) = self.size, self.drift
        spare = np.array(self.place.shape[1::-1]) - [wide, high]
        part = 0.5 + 0.45 * np.sin(number / float(self.rate) * speed + wobble)
        x, y = spare * [part, 0.5 + way * (part - 0.5)]
        move = np.array([[1, 0, -x], [0, 1, -y]])
        return cv2.warpAffine(self.place, move, (wide, high), borderMode=cv2.BORDER_REFLECT)

    @cached_property
    def _grain(self) -> Floats:
        rng = np.random.default_rng([self.seed, 12])
        empty = np.full((self.size[1] + 64, self.size[0] + 64, 3), 128, np.uint8)
        return add_grain(empty, self.grade.grain, rng).astype(np.int16) - np.int16(128)

    def _grainy(self, picture: Picture, number: int) -> Picture:
        """Grain is drawn once and moved about: as lively, and much faster."""
        if not self.grade.grain:
            return picture
        x, y = np.random.default_rng([self.seed, 14, number]).integers(0, 64, 2)
        high, wide = picture.shape[:2]
        return cv2.add(picture, self._grain[y : y + high, x : x + wide], dtype=cv2.CV_8U)

    @cached_property
    def _staged(self) -> Staged:
        return self._stage(None)

    def _stage(self, digits: str | None) -> Staged:
        """Draw and light the slate; the same each time but for what its display shows."""
        rng = np.random.default_rng([self.seed, 11])
        slate = draw_slate(self.look, float(np.clip(self.base.width * 1.2, 56, 1400)), digits)
        middle = self._background(0)
        box = box_around(silhouette(slate, self.base, 20.0), *self.size)
        gain = scene_light(middle, box, rng) if box else np.ones(3, np.float32)
        level = float(gain.mean())
        gain = gain * (float(np.clip(level, 0.7, 1.1)) / max(level, 0.01))
        lit = light_slate(slate, gain, None, rng)
        grips = choose_grips(rng, rng, self.look)
        if not any(grip.on_stick for grip in grips) and rng.random() < 0.5:
            grips = (*grips, stick_grip(rng, rng, self.look, 0.3))
        return Staged(lit, gain, grips, soft=float(rng.uniform(0.3, 0.9)))

    def _staged_at(self, number: int) -> Staged:
        staged = self._staged
        if self.look.style == "digital":
            nominal = round(self.rate)
            seconds, left = divmod(number, nominal)
            clock = (seconds // 3600 % 24, seconds // 60 % 60, seconds % 60, left)
            staged = self._stage(":".join(f"{value:02d}" for value in clock))
        a, b = self._pose(number - SHUTTER / 2), self._pose(number + SHUTTER / 2)
        away = np.array([b.x - a.x, b.y - a.y])
        length = float(np.hypot(*away))
        return replace(staged, smear=(length, float(np.degrees(np.arctan2(away[1], away[0])))))


def choose_shot(
    kind: str,
    *,
    rate: Fraction,
    size: tuple[int, int],
    seconds: float,
    seed: int,
    backgrounds: Backgrounds,
    clean: bool = True,
) -> Shot:
    """A take by lot. `clean`: a slate that fills a good part of a well exposed picture, as in the books."""
    rng = np.random.default_rng([seed, 5, KINDS.index(kind)])
    wide, high = size
    look = choose_slate(rng)
    while clean and look.style not in ("white", "black", "inserts", "digital"):
        look = choose_slate(rng)
    place = backgrounds.scene(rng, int(wide * _ROOM), int(high * _ROOM), calm=clean)
    return Shot(
        kind=kind,
        rate=rate,
        size=size,
        frames=round(seconds * rate),
        seed=seed,
        script=choose_script(kind, seconds, rate, rng),
        look=look,
        base=_base(rng, wide, high, clean),
        grade=_clean_grade(rng) if clean else choose_grade(rng),
        place=np.ascontiguousarray(place),
        drift=(float(rng.uniform(0.1, 0.5)), float(rng.uniform(-1, 1)), float(rng.uniform(0, 6))),
    )


def _base(rng: np.random.Generator, wide: int, high: int, clean: bool) -> Pose:
    span = min(wide, high * 1.5)
    width = rng.uniform(0.38, 0.52) if clean else np.clip(np.exp(rng.normal(np.log(0.36), 0.4)), 0.1, 0.8)
    tilt = 0.5 if clean else 1.0
    return Pose(
        x=wide * float(0.5 + rng.uniform(-0.14, 0.14)),
        y=high * float(0.57 + rng.uniform(-0.06, 0.06)),
        width=span * float(width),
        roll=float(rng.normal(0, 9)) * tilt,
        yaw=float(rng.normal(0, 16)) * tilt,
        pitch=float(rng.normal(0, 12)) * tilt,
        distance=float(rng.uniform(2, 6)),
    )


def _clean_grade(rng: np.random.Generator) -> Grade:
    plain = choose_grade(rng)
    return replace(
        plain,
        exposure=float(rng.uniform(0.9, 1.1)),
        gamma=1.0,
        balance=tuple(float(v) for v in np.exp(rng.normal(0, 0.04, 3))),
        saturation=float(rng.uniform(0.85, 1.15)),
        lift=0.0,
        vignette=0.0,
        defocus=0.0,
        shake=(0.0, 0.0),
        grain=float(rng.uniform(1, 3)),
        shrink=1.0,
        sharpen=0.0,
        letterbox=1.0,
    )
