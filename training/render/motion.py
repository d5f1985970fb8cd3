"""How a slate moves through a clip: it comes in, its sticks close, it goes. Times in seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from training.render.geometry import Pose

KINDS = (
    "head",
    "tail",
    "mos",
    "second_sticks",
    "no_slate",
    "late",
    "slate_in_frame_0",
    "cut_off",
    "closed_then_opened",
    "soft_sticks",
    "tail_turned",
)
#: With a 180 degree shutter a frame is exposed for the first half of its time.
SHUTTER = 0.5
#: The sticks are at least this far open at the middle of the last open frame's exposure, in degrees.
LAST_OPEN = 3.0
_Track = Callable[[float], float]


@dataclass(frozen=True)
class Close:
    """One closing of the sticks: an even angular acceleration from `angle` degrees, contact at `contact`."""

    contact: float
    swing: float  # how long it takes
    angle: float
    bounce: float  # how far they spring apart again, in degrees: never as far as would be called open


@dataclass(frozen=True)
class Script:
    """One slate's part in a clip."""

    comes: float
    goes: float
    closings: tuple[Close, ...]
    rest: float  # the sticks' angle before the first closing; 0 for a slate held closed
    shown_closed: float  # closed until then, then opened
    turned: float | None  # a tail slate is put upright at this time; None for never
    tail: bool
    travel: tuple[float, float]  # the way it comes and goes
    sway: tuple[float, ...]

    def seen(self, time: float) -> bool:
        return self.comes <= time <= self.goes

    def angle(self, time: float) -> float:
        """Degrees between the sticks."""
        if not self.closings:
            return self.rest
        for place, closing in enumerate(self.closings):
            if time < closing.contact:
                return _open_angle(time, closing, *self._opening(place))
            if place == len(self.closings) - 1 or time < self._opening(place + 1)[0]:
                return _bounce(time - closing.contact, closing.bounce)
        return 0.0

    def _opening(self, place: int) -> tuple[float, float]:
        """When the sticks part before a closing, and when they are apart."""
        if not place:
            return self.shown_closed - 0.3, self.shown_closed
        before, closing = self.closings[place - 1], self.closings[place]
        pause = closing.contact - closing.swing - before.contact
        return before.contact + 0.4 * pause, before.contact + 0.7 * pause

    def pose(self, base: Pose, time: float, size: tuple[int, int]) -> Pose:
        """Where the slate is in a picture of `size` (width, height), a hand's sway included."""
        away = _ease((self.comes + 0.4 - time) / 0.4) + _ease((time - self.goes + 0.35) / 0.35)
        waves = [np.sin(2 * np.pi * time * f + p) for f, p in zip((0.7, 1.3, 2.9), self.sway, strict=True)]
        drift = base.width * 0.008 * np.array([waves[0] + 0.3 * waves[2], waves[1] - 0.3 * waves[2]])
        out = 0.75 * np.array(size) + 1.2 * base.width
        where = np.array([base.x, base.y]) + drift + np.array(self.travel) * out * away
        roll = base.roll + 0.8 * waves[1]
        if self.tail:
            roll += 180 if self.turned is None else 180 * (1 - _ease((time - self.turned) / 0.5))
        return replace(base, x=float(where[0]), y=float(where[1]), roll=float(roll))


def _ease(part: float) -> float:
    clipped = min(max(part, 0.0), 1.0)
    return clipped * clipped * (3 - 2 * clipped)


def _open_angle(time: float, closing: Close, parts: float, apart: float) -> float:
    start = closing.contact - closing.swing
    if time >= start:
        return closing.angle * (1 - ((time - start) / closing.swing) ** 2)
    return closing.angle * _ease((time - parts) / (apart - parts))


def _bounce(after: float, height: float) -> float:
    length = 0.06
    return height * max(0.0, 1 - (2 * after / length - 1) ** 2) if 0 <= after < length else 0.0


def clap_frame(contact: float, rate: Fraction) -> int:
    """The first frame in which the sticks are shut: contact is at or before the middle of its exposure."""
    return int(np.ceil(contact * float(rate) - SHUTTER / 2 - 1e-9))


def settle(contact: float, swing: float, angle: float, rate: Fraction, rng: np.random.Generator) -> float:
    """The contact time near `contact` that leaves no doubt which frame is the first closed one.

    The frame before has LAST_OPEN degrees left at the middle of its exposure, and contact is at most half a
    frame from the start of the clap's frame, so that sound and picture agree.
    """
    frame = max(2, round(contact * float(rate)))
    low, high = max(-0.48, SHUTTER / 2 - 1 + swing * _last_part(angle) * float(rate)), SHUTTER / 2 - 0.02
    return float((frame + rng.uniform(low, high)) / float(rate))


def _last_part(angle: float) -> float:
    """The last part (0 to 1) of a swing from `angle` degrees: little more than LAST_OPEN degrees are left."""
    return 1 - float(np.sqrt(1 - 1.1 * LAST_OPEN / angle))


def _swing(angle: float, rate: Fraction, rng: np.random.Generator) -> float:
    """How long a closing takes: two frames at least, and so fast at its end that one frame decides."""
    slowest = 0.9 / float(rate) / _last_part(angle)
    return float(min(max(rng.uniform(0.07, 0.17), 2 / float(rate)), slowest))


def choose_script(kind: str, seconds: float, rate: Fraction, rng: np.random.Generator) -> Script | None:
    """A slate's part in a clip of this kind; None where no slate comes."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not one of {', '.join(KINDS)}")
    if kind == "no_slate":
        return None
    angle = float(rng.uniform(14, 38))
    swing = _swing(angle, rate, rng)
    claps = {"mos": 0, "second_sticks": 2}.get(kind, 1)
    steps = _steps(kind, claps, swing, rng)
    fit = min(1.0, 0.8 * seconds / sum(steps))
    steps = [step * fit for step in steps]
    comes = _comes(kind, seconds, sum(steps), rng)
    tail = kind in ("tail", "tail_turned")
    contacts = [comes + steps[0]] + ([comes + steps[0] + steps[1]] if claps == 2 else [])
    goes = seconds + 1 if kind == "cut_off" else comes + sum(steps)
    if kind == "cut_off":
        contacts = [seconds + 1.0]
        comes = seconds - steps[0]
    closings = tuple(
        Close(
            settle(contact, swing, angle, rate, rng),
            swing,
            angle,
            bounce=float(rng.uniform(0.4, 1.2)) if rng.random() < 0.4 else 0.0,
        )
        for contact in contacts[:claps]
    )
    upright = kind == "tail_turned" or (tail and rng.random() < 0.4 and steps[0] > 1.0)
    away = [(-1.0, 0.0), (1.0, 0.0), (0.15, 1.0), (-0.15, 1.0)][int(rng.integers(4))]
    return Script(
        comes=comes,
        goes=goes,
        closings=closings,
        rest=0.0,
        shown_closed=comes + 0.4 * steps[0] if kind == "closed_then_opened" else -10.0,
        turned=comes + 0.35 * steps[0] if upright else None,
        tail=tail,
        travel=away,
        sway=tuple(float(v) for v in rng.uniform(0, 6.28, 3)),
    )


def _steps(kind: str, claps: int, swing: float, rng: np.random.Generator) -> list[float]:
    """How long: until the first contact, between contacts, after the last."""
    first = (
        float(rng.uniform(1.1, 1.7))
        + swing
        + (0.9 if kind in ("closed_then_opened", "tail", "tail_turned") else 0.0)
    )
    between = [float(rng.uniform(1.1, 1.5))] if claps == 2 else []
    return [first, *between, float(rng.uniform(0.8, 1.2))]


def _comes(kind: str, seconds: float, length: float, rng: np.random.Generator) -> float:
    match kind:
        case "slate_in_frame_0":
            return -0.6
        case "late":
            return min(0.62 * seconds, seconds - length)
        case "tail" | "tail_turned":
            return float(max(0.0, seconds - length * rng.uniform(0.95, 1.05)))
    return float(min(rng.uniform(0.04, 0.12) * seconds, max(0.0, seconds - length)))
