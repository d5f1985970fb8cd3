"""Single pictures with slates in them, and what is true about each slate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from training.render.distractors import KINDS, draw_distractor
from training.render.geometry import Floats, Picture, Pose, Region, box_around
from training.render.hands import choose_hand, draw_hand, draw_person
from training.render.lens import choose_grade, compress, develop, overlay
from training.render.scenes import Backgrounds
from training.render.slates import Slate, choose_slate, draw_slate, silhouette
from training.render.staging import (
    CLOSED_PLAY,
    OPEN_FROM,
    RenderedSlate,
    Staged,
    choose_grips,
    choose_softness,
    lay_slate,
    light_slate,
    scene_light,
    truth_of,
)
from training.slates import Box, State

#: An opening must be this wide at the sticks' end to be seen at all: a share of the picture's longer side.
SEEN_GAP = 0.0065
#: The mean grey level (0 to 255) below which a picture teaches nothing.
_DARKEST = 24


@dataclass(frozen=True)
class Still:
    picture: Picture
    slates: list[RenderedSlate] = field(default_factory=list)


@dataclass(frozen=True)
class _Plan:
    angle: float
    moving: float  # degrees the upper stick travels during the exposure
    pose: Pose


@dataclass(frozen=True)
class _Lots:
    """Where chance comes from: `coin` decides the state and all that goes with it, `rng` the rest."""

    rng: np.random.Generator
    coin: np.random.Generator
    backgrounds: Backgrounds
    state: State | None
    upside_down: bool | None


def render_still(
    seed: int | tuple[int, ...],
    *,
    size: tuple[int, int] = (640, 360),
    backgrounds: Backgrounds | None = None,
    state: State | None = None,
    upside_down: bool | None = None,
    empty: bool | None = None,
) -> Still:
    """One picture, `size` is (width, height); the same arguments give the same bytes.

    Everything is drawn by lot from the seed. `state`, `upside_down` and `empty` fix what they name. The state
    has its own stream of random numbers: nothing but the sticks (and a hand at them) goes with it.
    """
    words = seed if isinstance(seed, tuple) else (seed,)
    rng, coin = np.random.default_rng([*words, 1]), np.random.default_rng([*words, 2])
    lots = _Lots(rng, coin, backgrounds or Backgrounds(), state, upside_down)
    picture = np.ascontiguousarray(lots.backgrounds.scene(rng, *size))
    none = bool(rng.random() < 0.15) if empty is None else empty
    _distractors(picture, lots, 0.75 if none else 0.35)
    slates: list[RenderedSlate] = []
    for _ in range(0 if none else 1 + int(rng.random() < 0.05)):
        slates += _add_slate(picture, lots, slates)
    if none and rng.random() < 0.4:
        _bare_hand(picture, rng)
    if slates and rng.random() < 0.04:
        picture, slates = _mirrored(picture, slates)
    return Still(_recorded(picture, slates, rng), slates)


def _recorded(picture: Picture, slates: list[RenderedSlate], rng: np.random.Generator) -> Picture:
    """The scene through camera, grade, overlays and encoder."""
    grade, high = choose_grade(rng), picture.shape[0]
    darkest = _DARKEST / max(float(picture[::8, ::8].mean()), 1.0)
    grade = replace(grade, exposure=max(grade.exposure, min(darkest, 1.5)))
    if any(_outside(slate.box, high, grade.letterbox) for slate in slates):
        grade = replace(grade, letterbox=1.0)
    picture = np.ascontiguousarray(develop(picture, grade))
    if rng.random() < 0.14:
        overlay(picture, rng)
    if rng.random() < 0.3:
        picture = compress(picture, int(rng.integers(12, 60)))
    return picture


def _outside(box: Box, high: int, share: float) -> bool:
    bar = high * (1 - share) / 2
    return box.y < bar or box.y + box.h > high - bar


def _mirrored(picture: Picture, slates: list[RenderedSlate]) -> tuple[Picture, list[RenderedSlate]]:
    wide = picture.shape[1]
    turned = [replace(s, box=replace(s.box, x=wide - s.box.x - s.box.w)) for s in slates]
    return np.ascontiguousarray(picture[:, ::-1]), turned


def _angle(coin: np.random.Generator, width: float, state: State, longer: int) -> float:
    if state is State.CLOSED:
        return float(coin.choice([0.0, coin.uniform(0, CLOSED_PLAY)]))
    seen = np.degrees(np.arctan2(SEEN_GAP * longer, width * 0.9))
    if coin.random() < 0.2:
        return float(max(coin.uniform(OPEN_FROM, 6), seen))
    return float(max(coin.uniform(6, 60) if coin.random() < 0.35 else coin.triangular(6, 22, 45), seen))


def _plan(lots: _Lots, wide: int, high: int) -> _Plan:
    rng, coin = lots.rng, lots.coin
    size = min(wide, high * 1.5) * float(np.clip(np.exp(rng.normal(np.log(0.33), 0.5)), 0.07, 0.9))
    state = lots.state or (State.OPEN if coin.random() < 0.5 else State.CLOSED)
    turned = bool(rng.random() < 0.1) if lots.upside_down is None else lots.upside_down
    edge = rng.random() < 0.16
    spread = 0.62 if edge else 0.5 - 0.3 * min(size / wide, 1)
    pose = Pose(
        x=wide * (0.5 + float(rng.uniform(-spread, spread))),
        y=high * (0.53 + float(rng.uniform(-0.55, 0.55) if edge else rng.normal(0, 0.15))),
        width=size,
        roll=float(np.clip(rng.normal(0, 9 if rng.random() < 0.7 else 28), -80, 80)) + 180 * turned,
        yaw=float(rng.normal(0, 17)),
        pitch=float(rng.normal(0, 13)),
        distance=float(rng.uniform(1.6, 6)),
    )
    angle = _angle(coin, size, state, max(wide, high))
    moving = float(coin.uniform(2, 16)) if state is State.OPEN and coin.random() < 0.15 else 0.0
    return _Plan(angle, min(moving, max(angle - OPEN_FROM, 0)), pose)


def _add_slate(picture: Picture, lots: _Lots, others: list[RenderedSlate]) -> list[RenderedSlate]:
    """Add one slate, in place; an empty list where there is no room for it."""
    high, wide = picture.shape[:2]
    rng, plan = lots.rng, _plan(lots, wide, high)
    look = choose_slate(rng)
    slate = draw_slate(look, float(np.clip(plan.pose.width * 1.25, 56, 900)))
    box = box_around(silhouette(slate, plan.pose, plan.angle), wide, high)
    if box is None or any(box.iou(other.box) > 0 for other in others):
        return []
    gain = scene_light(picture, box, rng)
    if rng.random() < 0.28:
        _holder(picture, rng, plan.pose, gain)
    if rng.random() < 0.25:
        _shadow(picture, slate, plan, rng)
    room = lots.backgrounds.scene(rng, 48, 36) if rng.random() < 0.4 else None
    soft, smear = choose_softness(rng, plan.pose.width)
    lit = light_slate(slate, gain, room, rng)
    grips = choose_grips(rng, lots.coin, look)
    angles = [plan.angle] if not plan.moving else list(plan.angle + plan.moving * np.linspace(-0.5, 0.5, 7))
    lay_slate(picture, Staged(lit, gain, (), soft, smear), plan.pose, angles)
    bare = picture.copy()
    for grip in grips:
        draw_hand(picture, grip.placed(slate, plan.pose, plan.angle), gain)
    if rng.random() < 0.1:
        _in_front(picture, lots, plan.pose, box)
    truth = truth_of(slate, plan.pose, plan.angle, (wide, high), np.any(picture != bare, axis=2))
    return [truth] if truth else []


def _shadow(picture: Picture, slate: Slate, plan: _Plan, rng: np.random.Generator) -> None:
    high, wide = picture.shape[:2]
    away = plan.pose.width * rng.uniform(-0.12, 0.12, 2)
    cast = replace(plan.pose, x=plan.pose.x + float(away[0]), y=plan.pose.y + float(away[1]))
    region = Region.around(silhouette(slate, cast, plan.angle), wide, high, margin=14)
    if region.empty:
        return
    alpha = slate.draw(cast.homography(slate.look.centre), [plan.angle], region)[..., 3]
    soft = cv2.GaussianBlur(alpha, (0, 0), max(1.0, plan.pose.width * float(rng.uniform(0.01, 0.06))))
    shade = 1 - soft[..., None] / 255 * float(rng.uniform(0.2, 0.7))
    picture[region.slices] = (picture[region.slices] * shade).astype(np.uint8)


def _holder(picture: Picture, rng: np.random.Generator, pose: Pose, gain: Floats) -> None:
    head = pose.width * float(rng.uniform(0.45, 1.0))
    x, y = pose.x + pose.width * float(rng.normal(0, 0.5)), pose.y - head * float(rng.uniform(0.6, 2.4))
    draw_person(picture, x, y, head, gain, int(rng.integers(2**31)))


def _bare_hand(picture: Picture, rng: np.random.Generator) -> None:
    high, wide = picture.shape[:2]
    at = rng.uniform(0, 1, 2) * [wide, high]
    size, inward = wide * float(rng.uniform(0.04, 0.16)), float(rng.uniform(0, 360))
    shown = str(rng.choice(["thumb", "fingers", "point"]))
    hand = choose_hand(rng, float(at[0]), float(at[1]), inward, size=size, shown=shown)
    draw_hand(picture, hand, np.full(3, rng.uniform(0.4, 1.1), np.float32))


def _distractors(picture: Picture, lots: _Lots, chance: float) -> None:
    (high, wide), rng = picture.shape[:2], lots.rng
    while rng.random() < chance:
        pose = Pose(
            x=float(rng.uniform(0, wide)),
            y=float(rng.uniform(0, high)),
            width=wide * float(rng.uniform(0.06, 0.5)),
            roll=float(rng.normal(0, 22)),
            yaw=float(rng.normal(0, 22)),
            pitch=float(rng.normal(0, 15)),
        )
        draw_distractor(
            picture, rng, lots.backgrounds, str(rng.choice(KINDS)), pose, float(rng.uniform(0.3, 1.1))
        )


def _in_front(picture: Picture, lots: _Lots, pose: Pose, box: Box) -> None:
    """Something or someone between the camera and a part of the slate."""
    rng = lots.rng
    x = box.x + box.w * float(rng.choice([rng.uniform(-0.2, 0.15), rng.uniform(0.85, 1.2)]))
    if rng.random() < 0.5:
        head = pose.width * float(rng.uniform(0.3, 0.7))
        gain = np.full(3, rng.uniform(0.05, 0.9), np.float32)
        draw_person(
            picture, x, box.y + box.h * float(rng.uniform(0.3, 0.9)), head, gain, int(rng.integers(2**31))
        )
        return
    thing = Pose(x, box.y + box.h * float(rng.uniform(0.4, 1.1)), pose.width * float(rng.uniform(0.15, 0.6)))
    kind = str(rng.choice([k for k in KINDS if k not in ("stripes", "barrier", "tape")]))
    draw_distractor(picture, rng, lots.backgrounds, kind, thing, float(rng.uniform(0.3, 1.0)))
