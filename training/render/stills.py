"""Single pictures with slates in them, and what is true about each slate."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from training.render.distractors import KINDS, draw_distractor
from training.render.geometry import Picture, Points, Pose, Region, box_around, lay, project
from training.render.hands import choose_hand, draw_hand, draw_person
from training.render.lens import choose_grade, compress, develop, falloff, line_kernel, overlay, shine
from training.render.scenes import Backgrounds
from training.render.slates import Slate, choose_slate, draw_slate, silhouette
from training.slates import Box, State

#: Sticks this many degrees apart or fewer are closed: play in the hinge.
CLOSED_PLAY = 0.4
#: The smallest angle that is called open.
OPEN_FROM = 1.5
#: An opening must be this wide at the sticks' end to be seen at all, in pixels.
SEEN_GAP = 2.6


@dataclass(frozen=True)
class RenderedSlate:
    """A slate in a picture: the tight box around board and both sticks, clipped to the picture, and its state.

    `ignore`: the sticks are out of the picture or covered, or the slate is nearly out, so nobody could know its state.
    """

    box: Box
    state: State
    ignore: bool
    angle: float
    upside_down: bool
    style: str


@dataclass(frozen=True)
class Still:
    picture: Picture
    slates: list[RenderedSlate] = field(default_factory=list)


@dataclass(frozen=True)
class _Plan:
    state: State
    angle: float
    moving: float  # degrees the upper stick travels during the exposure
    pose: Pose
    upside_down: bool


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

    Everything is drawn by lot from the seed. `state`, `upside_down` and `empty` fix what they name. The state has its
    own stream of random numbers: nothing in the picture but the sticks (and where a hand holds them) goes with it.
    """
    words = list(seed) if isinstance(seed, tuple) else [seed]
    rng, coin = np.random.default_rng([*words, 1]), np.random.default_rng([*words, 2])
    wide, high = size
    backgrounds = backgrounds or Backgrounds()
    picture = np.ascontiguousarray(backgrounds.scene(rng, wide, high))
    none = bool(rng.random() < 0.15) if empty is None else empty
    _distractors(picture, rng, backgrounds, 0.75 if none else 0.35)
    count = 0 if none else 1 + int(rng.random() < 0.05)
    slates: list[RenderedSlate] = []
    for _ in range(count):
        shown = _add_slate(picture, rng, coin, backgrounds, state, upside_down, slates)
        if shown:
            slates.append(shown)
    if none and rng.random() < 0.4:
        _bare_hand(picture, rng)
    grade = choose_grade(rng)
    if any(_outside(slate.box, high, grade.letterbox) for slate in slates):
        grade = replace(grade, letterbox=1.0)
    picture = np.ascontiguousarray(develop(picture, grade))
    if rng.random() < 0.14:
        overlay(picture, rng)
    if rng.random() < 0.3:
        picture = compress(picture, int(rng.integers(12, 60)))
    return Still(picture, slates)


def _outside(box: Box, high: int, share: float) -> bool:
    bar = high * (1 - share) / 2
    return box.y < bar or box.y + box.h > high - bar


def _angle(coin: np.random.Generator, width: float, state: State) -> float:
    if state is State.CLOSED:
        return float(coin.choice([0.0, coin.uniform(0, CLOSED_PLAY)]))
    seen = np.degrees(np.arctan2(SEEN_GAP, width * 0.9))
    if coin.random() < 0.2:
        return float(max(coin.uniform(OPEN_FROM, 6), seen))
    return float(max(coin.uniform(6, 60) if coin.random() < 0.35 else coin.triangular(6, 22, 45), seen))


def _plan(
    rng: np.random.Generator,
    coin: np.random.Generator,
    wide: int,
    high: int,
    state: State | None,
    upside: bool | None,
) -> _Plan:
    size = min(wide, high * 1.5) * float(np.clip(np.exp(rng.normal(np.log(0.33), 0.5)), 0.07, 0.9))
    state = state or (State.OPEN if coin.random() < 0.5 else State.CLOSED)
    roll = float(rng.normal(0, 9) if rng.random() < 0.7 else rng.normal(0, 28))
    turned = bool(rng.random() < 0.1) if upside is None else upside
    edge = rng.random() < 0.16
    spread = 0.62 if edge else 0.5 - 0.3 * min(size / wide, 1)
    pose = Pose(
        x=wide * (0.5 + float(rng.uniform(-spread, spread))),
        y=high * (0.53 + float(rng.uniform(-0.55, 0.55) if edge else rng.normal(0, 0.15))),
        width=size,
        roll=roll + 180 * turned,
        yaw=float(rng.normal(0, 17)),
        pitch=float(rng.normal(0, 13)),
        distance=float(rng.uniform(1.6, 6)),
    )
    angle = _angle(coin, size, state)
    moving = float(coin.uniform(2, 16)) if state is State.OPEN and coin.random() < 0.15 else 0.0
    return _Plan(state, angle, min(moving, max(angle - OPEN_FROM, 0)), pose, turned)


def _add_slate(
    picture: Picture,
    rng: np.random.Generator,
    coin: np.random.Generator,
    backgrounds: Backgrounds,
    state: State | None,
    upside_down: bool | None,
    others: list[RenderedSlate],
) -> RenderedSlate | None:
    high, wide = picture.shape[:2]
    plan = _plan(rng, coin, wide, high, state, upside_down)
    look = choose_slate(rng)
    slate = draw_slate(look, float(np.clip(plan.pose.width * 1.25, 56, 900)))
    outline = silhouette(slate, plan.pose, plan.angle)
    box = box_around(outline, wide, high)
    if box is None or any(box.iou(other.box) > 0 for other in others):
        return None
    gain = scene_light(picture, box, rng)
    if rng.random() < 0.4:
        _holder(picture, rng, plan.pose, gain)
    region = Region.around(outline, wide, high, margin=14)
    before = picture[region.slices].copy()
    if rng.random() < 0.25:
        _shadow(picture, slate, plan, rng)
    lay(picture, _lit(slate, plan, region, before, rng, gain), region)
    covered = np.zeros((high, wide), bool)
    kept = picture.copy()
    _hands(picture, rng, coin, slate, plan, gain)
    if rng.random() < 0.1:
        _in_front(picture, rng, backgrounds, plan.pose, box)
    covered |= np.any(picture != kept, axis=2)
    ignore = _unknowable(slate, plan, box, outline, covered)
    return RenderedSlate(box, plan.state, ignore, plan.angle, plan.upside_down, look.style)


def _unknowable(slate: Slate, plan: _Plan, box: Box, outline: Points, covered: NDArray[np.bool_]) -> bool:
    """Whether the place where the sticks meet, or the greater part of the slate, cannot be seen."""
    high, wide = covered.shape
    spots = project(plan.pose.homography(slate.look.centre), slate.contact())
    inside = (spots > 0).all(axis=1) & (spots < [wide, high]).all(axis=1)
    seen = [not covered[int(y), int(x)] for (x, y), here in zip(spots, inside, strict=True) if here]
    whole = outline.max(axis=0) - outline.min(axis=0)
    return sum(seen) < 0.4 * len(spots) or box.area < 0.25 * float(whole[0] * whole[1])


def scene_light(picture: Picture, box: Box, rng: np.random.Generator) -> NDArray[np.float32]:
    """The light on a slate (3 gains), mostly after what is around it."""
    x0, y0 = int(max(0, box.x - box.w / 3)), int(max(0, box.y - box.h / 3))
    around = picture[y0 : int(box.y + box.h * 1.33), x0 : int(box.x + box.w * 1.33)].reshape(-1, 3)
    mean = around[:: max(1, len(around) // 2000)].mean(axis=0) / 255
    level = float(mean.mean())
    tint = np.clip((mean + 0.15) / (level + 0.15), 0.6, 1.5) ** float(rng.uniform(0, 0.8))
    fitting = 0.3 + 0.85 * level**0.8
    gain = fitting * rng.uniform(0.75, 1.3) if rng.random() < 0.75 else rng.uniform(0.2, 1.5)
    return np.asarray(tint * gain, np.float32)


def _lit(
    slate: Slate,
    plan: _Plan,
    region: Region,
    before: Picture,
    rng: np.random.Generator,
    gain: NDArray[np.float32],
) -> NDArray[np.float32]:
    """The slate as it will be laid in: sticks at their angle, light, shine, softened edges."""
    matrix = plan.pose.homography(slate.look.centre)
    angles = [plan.angle] if not plan.moving else list(plan.angle + plan.moving * np.linspace(-0.5, 0.5, 7))
    layer = slate.draw(matrix, angles, region)
    layer[..., :3] *= falloff(rng, region.shape) * gain
    glossy = {"white": 0.35, "acrylic": 0.6}.get(slate.look.style, 0.2)
    if rng.random() < glossy:
        room = (
            cv2.GaussianBlur(before[:, ::-1], (0, 0), max(1.0, plan.pose.width / 40))
            if rng.random() < 0.4
            else None
        )
        light = shine(rng, region.shape, room) * gain
        layer[..., :3] += light * (layer[..., 3:] / 255)
    np.clip(layer, 0, 255, out=layer)
    return _softened(layer, rng, plan.pose.width)


def _softened(layer: NDArray[np.float32], rng: np.random.Generator, width: float) -> NDArray[np.float32]:
    """Several ways to blend, so that no one seam can be learnt."""
    how = rng.random()
    if how < 0.35:
        return layer
    if how < 0.8:
        return np.asarray(cv2.GaussianBlur(layer, (0, 0), float(rng.uniform(0.4, 1.1))), np.float32)
    if how < 0.92:
        return np.asarray(
            cv2.GaussianBlur(layer, (0, 0), float(rng.uniform(1.0, max(1.1, width / 110)))), np.float32
        )
    kernel = line_kernel(float(rng.uniform(2, max(3.0, width / 16))), float(rng.uniform(0, 180)))
    return np.asarray(cv2.filter2D(layer, -1, kernel), np.float32)


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


def _holder(picture: Picture, rng: np.random.Generator, pose: Pose, gain: NDArray[np.float32]) -> None:
    head = pose.width * float(rng.uniform(0.45, 1.0))
    x, y = pose.x + pose.width * float(rng.normal(0, 0.5)), pose.y - head * float(rng.uniform(0.6, 2.4))
    draw_person(picture, x, y, head, gain, int(rng.integers(2**31)))


def _hands(
    picture: Picture,
    rng: np.random.Generator,
    coin: np.random.Generator,
    slate: Slate,
    plan: _Plan,
    gain: NDArray[np.float32],
) -> None:
    """Up to three hands: at the sides or below, over the board, and at the sticks (open or closed)."""
    matrix, tall = plan.pose.homography(slate.look.centre), slate.look.board.height
    size = plan.pose.width * float(rng.uniform(0.22, 0.42))
    spots: list[tuple[float, float, float, str]] = []
    if rng.random() < 0.7:
        at = float(rng.uniform(0.35, 1.0)) * tall
        sides = [(-0.06, at, 0.0), (1.06, at, 180.0), (float(rng.uniform(0.1, 0.9)), tall + 0.07, -90.0)]
        for place in rng.permutation(3)[: 1 + int(rng.random() < 0.35)]:
            spots.append((*sides[place], str(rng.choice(["thumb", "fingers"], p=[0.6, 0.4]))))
    if rng.random() < 0.07:
        spots.append((float(rng.uniform(0.2, 0.8)), tall * float(rng.uniform(0.6, 1.0)), -80.0, "point"))
    for x, y, inward, shown in spots:
        at_picture = project(matrix, np.array([[x, y]]))[0]
        hand = choose_hand(rng, *at_picture, inward + plan.pose.roll, size, shown)
        draw_hand(picture, hand, gain)
    if rng.random() < 0.3:
        _stick_hand(picture, rng, coin, slate, plan, gain, size)


def _stick_hand(
    picture: Picture,
    rng: np.random.Generator,
    coin: np.random.Generator,
    slate: Slate,
    plan: _Plan,
    gain: NDArray[np.float32],
    size: float,
) -> None:
    """A hand at the upper stick: it raises it, or holds it down."""
    x, thick = float(coin.uniform(0.3, 1.02)), slate.look.sticks.thick
    if slate.look.sticks.hinge_right:
        x = 1 - x
    matrix = plan.pose.homography(slate.look.centre) @ slate.swing(plan.angle)
    at = project(matrix, np.array([[x, -thick * (1 + float(rng.uniform(0.2, 0.9)))]]))[0]
    swing = -plan.angle if not slate.look.sticks.hinge_right else plan.angle
    inward = 90 + plan.pose.roll + swing
    hand = choose_hand(rng, *at, inward, size * 0.85, str(rng.choice(["thumb", "fingers"])))
    draw_hand(picture, hand, gain)


def _bare_hand(picture: Picture, rng: np.random.Generator) -> None:
    high, wide = picture.shape[:2]
    at = rng.uniform(0, 1, 2) * [wide, high]
    size, inward = wide * float(rng.uniform(0.04, 0.16)), float(rng.uniform(0, 360))
    hand = choose_hand(
        rng, float(at[0]), float(at[1]), inward, size, str(rng.choice(["thumb", "fingers", "point"]))
    )
    draw_hand(picture, hand, np.full(3, rng.uniform(0.4, 1.1), np.float32))


def _distractors(picture: Picture, rng: np.random.Generator, backgrounds: Backgrounds, chance: float) -> None:
    high, wide = picture.shape[:2]
    while rng.random() < chance:
        pose = Pose(
            x=float(rng.uniform(0, wide)),
            y=float(rng.uniform(0, high)),
            width=wide * float(rng.uniform(0.06, 0.5)),
            roll=float(rng.normal(0, 22)),
            yaw=float(rng.normal(0, 22)),
            pitch=float(rng.normal(0, 15)),
        )
        draw_distractor(picture, rng, backgrounds, str(rng.choice(KINDS)), pose, float(rng.uniform(0.3, 1.1)))


def _in_front(
    picture: Picture, rng: np.random.Generator, backgrounds: Backgrounds, pose: Pose, box: Box
) -> None:
    """Something or someone between the camera and a part of the slate."""
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
    draw_distractor(picture, rng, backgrounds, kind, thing, float(rng.uniform(0.3, 1.0)))
