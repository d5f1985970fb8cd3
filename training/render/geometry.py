"""Where things are: the slate's own plane, a pinhole camera over it, boxes in the picture.

The slate's plane is measured in board widths. x runs right and y down; (0, 0) is the left end of the line
where the two sticks meet. The board hangs below it, the upper stick lies above it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.slates import Box

Matrix = NDArray[np.float64]
Points = NDArray[np.float64]
#: uint8, H x W x channels (OpenCV's stubs know no narrower type).
Picture = NDArray[Any]
#: float32, of any shape.
Floats = NDArray[Any]


def shift(x: float, y: float) -> Matrix:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def scale(x: float, y: float) -> Matrix:
    return np.diag([x, y, 1.0])


def turn(degrees: float, x: float, y: float) -> Matrix:
    """Rotation about (x, y); positive raises the right side of what lies right of (x, y)."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    spin = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]], float)
    return np.asarray(shift(x, y) @ spin @ shift(-x, -y), float)


def project(matrix: Matrix, points: Points) -> Points:
    """Points (N x 2) through a homography."""
    moved = np.c_[points, np.ones(len(points))] @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:])


@dataclass(frozen=True)
class Pose:
    """How the slate is held before the camera. Angles in degrees, centre and width in pixels."""

    x: float
    y: float
    width: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    distance: float = 3.0

    def homography(self, centre: tuple[float, float], depth: float = 0.0) -> Matrix:
        """From the slate's plane, `depth` board widths back, to the picture; `centre` goes to (x, y)."""
        spin, _ = cv2.Rodrigues(np.radians([[self.pitch], [self.yaw], [0.0]]))
        roll, _ = cv2.Rodrigues(np.radians([[0.0], [0.0], [self.roll]]))
        rotation = roll @ spin
        origin = rotation[:, 2] * depth + [0, 0, self.distance]
        focal = self.width * self.distance
        lens = np.array([[focal, 0, self.x], [0, focal, self.y], [0, 0, 1]], float)
        plane = np.column_stack([rotation[:, 0], rotation[:, 1], origin])
        return np.asarray(lens @ plane @ shift(-centre[0], -centre[1]))


def rounded_outline(x0: float, y0: float, x1: float, y1: float, radius: float) -> Points:
    """Points along a rectangle's round corners, exact to a hundredth of the radius."""
    arc = np.radians(np.linspace(0, 90, 9))
    curve = np.c_[np.cos(arc), np.sin(arc)] * radius
    corners = [
        curve * [1, 1] + [x1 - radius, y1 - radius],
        curve * [-1, 1] + [x0 + radius, y1 - radius],
        curve * [-1, -1] + [x0 + radius, y0 + radius],
        curve * [1, -1] + [x1 - radius, y0 + radius],
    ]
    corners[1], corners[3] = corners[1][::-1], corners[3][::-1]
    return np.concatenate(corners)


def box_around(points: Points, width: int, height: int) -> Box | None:
    """The tight box around points, clipped to the picture; None where nothing of it is left."""
    x0, y0 = np.maximum(points.min(axis=0), 0)
    x1, y1 = np.minimum(points.max(axis=0), [width, height])
    if x1 - x0 < 1 or y1 - y0 < 1:
        return None
    return Box(float(x0), float(y0), float(x1 - x0), float(y1 - y0))


@dataclass(frozen=True)
class Region:
    """A rectangle of whole pixels: the only part of the picture that a layer touches."""

    x0: int
    y0: int
    x1: int
    y1: int

    @staticmethod
    def around(points: Points, width: int, height: int, margin: float = 3) -> Region:
        low = np.clip(np.floor(points.min(axis=0) - margin), 0, [width, height]).astype(int)
        high = np.clip(np.ceil(points.max(axis=0) + margin), 0, [width, height]).astype(int)
        return Region(int(low[0]), int(low[1]), int(high[0]), int(high[1]))

    @property
    def empty(self) -> bool:
        return self.x1 <= self.x0 or self.y1 <= self.y0

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y0, self.y1), slice(self.x0, self.x1)

    @property
    def shape(self) -> tuple[int, int]:
        return self.y1 - self.y0, self.x1 - self.x0


@dataclass(frozen=True)
class Layer:
    """A drawn thing: premultiplied RGBA (uint8) and the matrix from its pixels to its plane."""

    texture: Picture
    to_plane: Matrix

    def warp(self, matrix: Matrix, region: Region) -> Floats:
        """The layer seen through a homography: premultiplied RGBA float32, 0 to 255, for the region."""
        half = shift(0.5, 0.5)
        to_region = shift(-region.x0 - 0.5, -region.y0 - 0.5) @ matrix @ self.to_plane @ half
        high, wide = region.shape
        warped = cv2.warpPerspective(self.texture, to_region, (wide, high), flags=cv2.INTER_LINEAR)
        return warped.astype(np.float32)


def premultiplied(color: Picture, alpha: Picture) -> Picture:
    """RGB and a mask as one premultiplied RGBA texture with an empty border of one pixel."""
    solid = cv2.multiply(color, cv2.merge([alpha] * 3), scale=1 / 255)
    return np.asarray(np.pad(np.dstack([solid, alpha]), ((1, 1), (1, 1), (0, 0))), np.uint8)


def over(below: Floats, above: Floats) -> Floats:
    """Porter-Duff over, both premultiplied RGBA."""
    through = _through(above)
    return cv2.add(above, cv2.multiply(below, cv2.merge([through] * 4)))


def lay(picture: Picture, layer: Floats, region: Region) -> None:
    """Lay premultiplied RGBA onto the picture, in place."""
    through = cv2.merge([_through(layer)] * 3)
    behind = cv2.multiply(np.ascontiguousarray(picture[region.slices]), through, dtype=cv2.CV_32F)
    color = cv2.cvtColor(layer, cv2.COLOR_RGBA2RGB)
    picture[region.slices] = cv2.add(behind, color, dtype=cv2.CV_8U)


def _through(layer: Floats) -> Floats:
    """How much of what is behind is seen, 0 to 1."""
    return np.float32(1) - cv2.extractChannel(layer, 3) * np.float32(1 / 255)
