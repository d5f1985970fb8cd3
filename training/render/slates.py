"""A whole slate: board and sticks in one plane, drawn once, seen with the sticks at any angle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from training.render.boards import BoardLook, choose_board, draw_board
from training.render.geometry import (
    Floats,
    Layer,
    Matrix,
    Picture,
    Points,
    Pose,
    Region,
    over,
    project,
    rounded_outline,
    shift,
    turn,
)
from training.render.sticks import SticksLook, choose_sticks, draw_sticks


@dataclass(frozen=True)
class SlateLook:
    """One slate's design, the same through a clip."""

    board: BoardLook
    sticks: SticksLook

    @property
    def centre(self) -> tuple[float, float]:
        return 0.5, self.board.height / 2

    @property
    def style(self) -> str:
        return self.board.style


def choose_slate(rng: np.random.Generator) -> SlateLook:
    sticks = choose_sticks(rng)
    return SlateLook(choose_board(rng, sticks.thick), sticks)


@dataclass(frozen=True)
class Slate:
    """A drawn slate: the board with the lower stick, the upper stick; `text`: label -> what is written."""

    look: SlateLook
    board: Layer
    stick: Layer
    text: dict[str, str] = field(default_factory=dict)

    def swing(self, angle: float) -> Matrix:
        """The upper stick opened by `angle` degrees about its hinge."""
        sticks = self.look.sticks
        lift = shift(0, -sticks.lift * np.sin(np.radians(angle)))
        if sticks.hinge_right:
            return np.asarray(lift @ turn(-angle, 1 - sticks.pivot_x, sticks.pivot_y))
        return np.asarray(lift @ turn(angle, sticks.pivot_x, sticks.pivot_y))

    def outline(self, angle: float) -> Points:
        """The slate's silhouette in its plane, as points."""
        look = self.look
        board = rounded_outline(0, 0, 1, look.board.height, look.board.corner)
        head = np.array([[0, 0], [1, 0], [1, look.sticks.thick], [0, look.sticks.thick]])
        return np.concatenate([board, head, project(self.swing(angle), self.stick_corners())])

    def stick_corners(self) -> Points:
        sticks = self.look.sticks
        x0 = sticks.left if not sticks.hinge_right else 1 - sticks.left - sticks.length
        x1, y0 = x0 + sticks.length, -sticks.thick
        return np.array([[x0, y0], [x1, y0], [x1, 0], [x0, 0]])

    def contact(self) -> Points:
        """Points along the free two thirds of the place where the upper stick lies when closed."""
        x = np.linspace(0.33, 0.97, 9)
        if self.look.sticks.hinge_right:
            x = 1 - x
        return np.column_stack([x, np.full(9, -0.4 * self.look.sticks.thick)])

    def draw(self, matrix: Matrix, angles: Sequence[float], region: Region) -> Floats:
        """Premultiplied RGBA (float32, 0 to 255) for the region; several angles are averaged: motion."""
        board = self.board.warp(matrix, region)
        sticks = [self.stick.warp(matrix @ self.swing(angle), region) for angle in angles]
        blurred = sticks[0] if len(sticks) == 1 else np.asarray(np.mean(sticks, axis=0), np.float32)
        return over(board, blurred)


def draw_slate(look: SlateLook, resolution: float, digits: str | None = None) -> Slate:
    """Draw a slate with `resolution` pixels to the board width."""
    board, text = draw_board(look.board, resolution, digits)
    stick, lower = draw_sticks(look.sticks, resolution)
    texture = _with_lower_stick(board.texture, lower)
    return Slate(look, Layer(texture, board.to_plane), stick, text)


def _with_lower_stick(texture: Picture, lower: Picture) -> Picture:
    high, wide = lower.shape[:2]
    head = texture[1 : 1 + high, 1 : 1 + wide]
    head[..., :3] = lower[:, : head.shape[1]]
    head[..., 3] = 255
    # the sticks shade the board just below them
    below = texture[1 + high : 1 + high + max(1, high // 4)]
    below[..., :3] = (below[..., :3] * 0.7).astype(np.uint8)
    return texture


def silhouette(slate: Slate, pose: Pose, angle: float) -> Points:
    """The slate's silhouette in the picture, as points."""
    return project(pose.homography(slate.look.centre), slate.outline(angle))
