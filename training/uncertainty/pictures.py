"""Pictures as 64 bits that are alike when the pictures are."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.slates import Box

#: What is around the slate counts too: a quarter of its size on each side.
MARGIN = 0.25


def picture_hash(picture: npt.NDArray[np.uint8], box: Box | None = None) -> int:
    """The difference hash (dHash) of a picture (H x W x 3), or of the slate in it and what is around it.

    Each bit says whether a cell of an 8 x 8 grid is darker than the next one to its right. The 64 bits come
    as a signed number, which databases can hold.
    """
    grey = cv2.cvtColor(_around(picture, box), cv2.COLOR_RGB2GRAY)
    cells = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = np.packbits(cells[:, :-1] < cells[:, 1:])
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def _around(picture: npt.NDArray[np.uint8], box: Box | None) -> npt.NDArray[np.uint8]:
    if box is None:
        return picture
    height, width = picture.shape[:2]
    left, right = box.x - MARGIN * box.w, box.x + (1 + MARGIN) * box.w
    top, bottom = box.y - MARGIN * box.h, box.y + (1 + MARGIN) * box.h
    part = picture[max(0, int(top)) : max(0, int(bottom)), max(0, int(left)) : max(0, int(right))]
    # A box outside of the picture says nothing about it.
    return np.ascontiguousarray(part if min(part.shape[:2]) > 0 else picture[:height, :width])
