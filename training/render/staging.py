"""A slate in a scene: lit, held by hands, laid into the picture; and what is then true about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from training.render.geometry import (
    Floats,
    Layer,
    Picture,
    Points,
    Pose,
    Region,
    box_around,
    lay,
    project,
)
from training.render.hands import Hand, choose_hand, draw_hand
from training.render.lens import falloff, line_kernel, shine
from training.render.slates import Slate, SlateLook, silhouette
from training.slates import Box, State

#: Sticks this many degrees apart or fewer are closed: play in the hinge.
CLOSED_PLAY = 0.4
#: The smallest angle that is called open.
OPEN_FROM = 1.5


@dataclass(frozen=True)
class RenderedSlate:
    """A slate in a picture: the tight box around board and both sticks, clipped to the picture; its state.

    `ignore`: nobody could know the state, because the sticks are out of the picture or covered, because the
    slate is nearly out, or because the sticks are just about to meet. `text`: label -> what is written.
    """

    box: Box
    state: State
    ignore: bool
    angle: float
    upside_down: bool
    style: str
    text: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Grip:
    """A hand at a place of the slate's plane: lengths in board widths, angles relative to the slate."""

    hand: Hand
    on_stick: bool

    def placed(self, slate: Slate, pose: Pose, angle: float) -> Hand:
        matrix = pose.homography(slate.look.centre)
        turned = pose.roll
        if self.on_stick:
            matrix = matrix @ slate.swing(angle)
            turned += angle if slate.look.sticks.hinge_right else -angle
        x, y = project(matrix, np.array([[self.hand.x, self.hand.y]]))[0]
        fingers, arm = self.hand.fingers + turned, self.hand.arm + turned
        return replace(
            self.hand, x=float(x), y=float(y), fingers=fingers, arm=arm, size=self.hand.size * pose.width
        )


@dataclass(frozen=True)
class Staged:
    """A slate with the light that falls on it and the hands that hold it."""

    slate: Slate
    gain: Floats
    grips: tuple[Grip, ...]
    soft: float  # the blur of its edges, in pixels
    smear: tuple[float, float] = (0.0, 0.0)  # its own motion during the exposure: pixels, degrees


def scene_light(picture: Picture, box: Box, rng: np.random.Generator) -> Floats:
    """The light on a slate (3 gains), mostly after what is around it."""
    x0, y0 = int(max(0, box.x - box.w / 3)), int(max(0, box.y - box.h / 3))
    around = picture[y0 : int(box.y + box.h * 1.33), x0 : int(box.x + box.w * 1.33)].reshape(-1, 3)
    mean = around[:: max(1, len(around) // 2000)].mean(axis=0) / 255
    level = float(mean.mean())
    tint = np.clip((mean + 0.15) / (level + 0.15), 0.6, 1.5) ** float(rng.uniform(0, 0.8))
    fitting = 0.45 + 0.75 * level**0.8
    gain = fitting * rng.uniform(0.75, 1.3) if rng.random() < 0.75 else rng.uniform(0.3, 1.5)
    return np.asarray(tint * gain, np.float32)


def light_slate(slate: Slate, gain: Floats, room: Picture | None, rng: np.random.Generator) -> Slate:
    """The slate with light, shadow and shine on its surfaces; `room` is what a glossy board reflects."""
    glossy = {"white": 0.35, "acrylic": 0.6}.get(slate.look.style, 0.2)
    shiny = rng.random() < glossy
    board = _lit(slate.board, gain, room, rng, shiny)
    stick = _lit(
        slate.stick, gain * np.float32(rng.uniform(0.85, 1.15)), None, rng, shiny and rng.random() < 0.3
    )
    return replace(slate, board=board, stick=stick)


def _lit(layer: Layer, gain: Floats, room: Picture | None, rng: np.random.Generator, shiny: bool) -> Layer:
    shape = layer.texture.shape[:2]
    color = layer.texture[..., :3] * (falloff(rng, shape) * gain)
    if shiny:
        seen = None if room is None else cv2.resize(room, shape[::-1], interpolation=cv2.INTER_AREA)
        shape_of_board = layer.texture[..., 3:] > 0
        color += shine(rng, shape, seen) * gain * shape_of_board
    texture = np.dstack([np.clip(color, 0, 255).astype(np.uint8), layer.texture[..., 3]])
    return Layer(texture, layer.to_plane)


def choose_grips(rng: np.random.Generator, coin: np.random.Generator, look: SlateLook) -> tuple[Grip, ...]:
    """Up to four hands: at the sides or below, over the board, and at the upper stick (open or closed)."""
    tall, size = look.board.height, float(rng.uniform(0.22, 0.42))
    grips: list[Grip] = []
    if rng.random() < 0.7:
        at = float(rng.uniform(0.35, 1.0)) * tall
        sides = [(-0.06, at, 0.0), (1.06, at, 180.0), (float(rng.uniform(0.1, 0.9)), tall + 0.07, -90.0)]
        for place in rng.permutation(3)[: 1 + int(rng.random() < 0.35)]:
            shown = str(rng.choice(["thumb", "fingers"], p=[0.6, 0.4]))
            grips.append(Grip(choose_hand(rng, *sides[place], size=size, shown=shown), on_stick=False))
    if rng.random() < 0.07:
        x, y = float(rng.uniform(0.2, 0.8)), tall * float(rng.uniform(0.6, 1.0))
        grips.append(Grip(choose_hand(rng, x, y, -80.0, size=size, shown="point"), on_stick=False))
    if rng.random() < 0.3:
        grips.append(stick_grip(rng, coin, look, size))
    return tuple(grips)


def stick_grip(rng: np.random.Generator, coin: np.random.Generator, look: SlateLook, size: float) -> Grip:
    """A hand at the upper stick: it raises it, or holds it down."""
    x = float(coin.uniform(0.3, 1.02))
    if look.sticks.hinge_right:
        x = 1 - x
    y = -look.sticks.thick * (1 + float(rng.uniform(0.2, 0.9)))
    shown = str(rng.choice(["thumb", "fingers"]))
    return Grip(choose_hand(rng, x, y, 90.0, size=size * 0.85, shown=shown), on_stick=True)


def choose_softness(rng: np.random.Generator, width: float) -> tuple[float, tuple[float, float]]:
    """Several ways to blend, so that no one seam can be learnt: sharp, feathered, out of focus, smeared."""
    how = rng.random()
    if how < 0.35:
        return 0.0, (0.0, 0.0)
    if how < 0.8:
        return float(rng.uniform(0.4, 1.1)), (0.0, 0.0)
    if how < 0.92:
        return float(rng.uniform(1.0, max(1.1, width / 110))), (0.0, 0.0)
    return 0.3, (float(rng.uniform(2, max(3.0, width / 16))), float(rng.uniform(0, 180)))


def lay_slate(picture: Picture, staged: Staged, pose: Pose, angles: Sequence[float]) -> None:
    """Lay the slate and its hands into the picture, in place; several angles blur the upper stick."""
    high, wide = picture.shape[:2]
    middle = float(np.mean(angles))
    region = Region.around(
        _swept(staged.slate, pose, angles), wide, high, margin=4 + 3 * staged.soft + staged.smear[0]
    )
    if not region.empty:
        layer = staged.slate.draw(pose.homography(staged.slate.look.centre), angles, region)
        lay(picture, _softened(layer, staged), region)
    for grip in staged.grips:
        draw_hand(picture, grip.placed(staged.slate, pose, middle), staged.gain)


def _swept(slate: Slate, pose: Pose, angles: Sequence[float]) -> Points:
    return np.concatenate([silhouette(slate, pose, angle) for angle in {min(angles), max(angles)}])


def _softened(layer: Floats, staged: Staged) -> Floats:
    if staged.soft:
        layer = cv2.GaussianBlur(layer, (0, 0), staged.soft)
    if staged.smear[0] > 1.5:
        layer = cv2.filter2D(layer, -1, line_kernel(*staged.smear))
    return layer


def truth_of(
    slate: Slate, pose: Pose, angle: float, size: tuple[int, int], covered: Picture | None = None
) -> RenderedSlate | None:
    """The truth about a slate in a picture of `size` (width, height); `covered` (H x W) is what hides it."""
    outline = silhouette(slate, pose, angle)
    box = box_around(outline, *size)
    if box is None:
        return None
    state = State.OPEN if angle >= OPEN_FROM else State.CLOSED
    between = CLOSED_PLAY < angle < OPEN_FROM
    ignore = between or _unknowable(slate, pose, outline, box, size, covered)
    upside_down = np.cos(np.radians(pose.roll)) < 0
    return RenderedSlate(box, state, ignore, angle, bool(upside_down), slate.look.style, slate.text)


def _unknowable(
    slate: Slate, pose: Pose, outline: Points, box: Box, size: tuple[int, int], covered: Picture | None
) -> bool:
    """Whether the place where the sticks meet, or the greater part of the slate, cannot be seen."""
    spots = project(pose.homography(slate.look.centre), slate.contact())
    inside = [(x, y) for x, y in spots if 0 < x < size[0] and 0 < y < size[1]]
    seen = [covered is None or not covered[int(y), int(x)] for x, y in inside]
    whole = outline.max(axis=0) - outline.min(axis=0)
    return sum(seen) < 0.4 * len(spots) or box.area < 0.25 * float(whole[0] * whole[1])
