"""From a decoded frame to the RGB picture as shown, in the decode child."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace

from training.footage.probing import Shape

_UNSPECIFIED = 2
_HD_LINES = 720


def shown(frame: VideoFrame, shape: Shape, longest_side: int | None) -> npt.NDArray[np.uint8]:
    """H x W x 3 RGB, turned and with square pixels, no side over `longest_side` (None: full size)."""
    width, height = shape.fitting(longest_side)
    stored = (height, width) if shape.quarter_turns % 2 else (width, height)
    picture = frame.reformat(
        *stored, format="rgb24", src_colorspace=source_space(frame), interpolation="BILINEAR", threads=1
    ).to_ndarray()
    return np.ascontiguousarray(np.rot90(picture, shape.quarter_turns), dtype=np.uint8)


def source_space(frame: VideoFrame) -> Colorspace | None:
    """What players take an untagged HD picture for, where libswscale would take SD's."""
    untagged = frame.colorspace == _UNSPECIFIED and not frame.format.is_rgb
    return Colorspace.ITU709 if untagged and frame.height >= _HD_LINES else None
