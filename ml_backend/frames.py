"""The picture of a task: from the store by its `frame_key`, or from an allowed host; decoded with care."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from ml_backend.allowed import Allowed
from ml_backend.fetching import LARGEST, Unopened, fetch
from training.store import Store, StoreError, Trouble

log = logging.getLogger(__name__)

Picture = npt.NDArray[np.uint8]
FRAME_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[0-9]{1,9}")
FORMATS = ("JPEG", "PNG", "WEBP")
#: More than 8K has; decoded it takes three bytes each.
MOST_PIXELS = 40_000_000


class Frames:
    """Opens the pictures that tasks name."""

    def __init__(self, store: Store, allowed: Allowed) -> None:
        self.store = store
        self.allowed = allowed

    def open(self, task: Mapping[str, Any], variable: str) -> Picture:
        """The picture (uint8, H x W x 3, RGB, as shown) of a task. Raises Unopened.

        `variable` is the key of what Label Studio shows in the task's data; for tasks without frame_key.
        """
        named = task["data"]
        key = named.get("frame_key")
        if key is not None:
            return decoded(self._stored(key))
        url = named.get(variable)
        if not isinstance(url, str):
            raise Unopened(f"The task has neither a frame_key nor an address in its {variable}.")
        return decoded(fetch(url, self.allowed))

    def _stored(self, key: object) -> bytes:
        if not isinstance(key, str) or not FRAME_KEY.fullmatch(key):
            raise Unopened("The frame_key is not of the form <clip's uuid>/<frame>.")
        name = f"frames/{key}.jpg"
        try:
            content = self.store.read(name, 0, LARGEST + 1)
        except StoreError as error:
            log.warning("%s", error)
            if error.trouble is Trouble.MISSING:
                raise Unopened(f"The frame {key} is not in the store.") from error
            raise Unopened(f"The frame {key} cannot be read from the store just now.") from error
        if len(content) > LARGEST:
            raise Unopened(f"The frame {key} has more than {LARGEST >> 20} MB.")
        return content


def decoded(content: bytes) -> Picture:
    """A JPEG, PNG or WebP file as it is shown, turned as its Exif says. Raises Unopened."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise Unopened(f"The picture has {width} x {height} pixels: too many.")
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Image.DecompressionBombError as error:
        raise Unopened("The picture has far too many pixels.") from error
    # Pillow's readers raise much else on torn files: SyntaxError, struct.error, IndexError, zlib.error ...
    except Exception as error:
        if isinstance(error, Unopened):
            raise
        raise Unopened("The file is not a whole JPEG, PNG or WebP picture.") from error
