"""Still images as shown: opened by their content, turned by their EXIF orientation, within limits."""

from __future__ import annotations

import stat
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

#: Kinds of StillError.
STILL_ERRORS = ("missing", "empty", "not_picture", "too_large", "broken")
#: Formats that are read, whatever the name says. EPS and the like, which start other programs, stay out.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
#: 16-bit greys are scaled to 8 bits; Pillow would cut them off.
DEEP_MODES = ("I;16", "I;16B", "I;16L", "I")
MAX_PIXELS = 120_000_000
MAX_BYTES = 512 << 20


class StillError(Exception):
    """A still image that cannot be used: `kind` is one of STILL_ERRORS, `str(error)` one plain sentence."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind


def open_still(path: Path, *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """The picture as shown: H x W x 3, RGB. The first one where the file holds several. Raises StillError."""
    _check_file(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd EXIF blocks; sizes are checked below
            with Image.open(path, formats=FORMATS) as image:
                _check_size(image, max_pixels)
                return _as_shown(image)
    except StillError:
        raise
    except UnidentifiedImageError:
        raise StillError("not_picture", "This is not a still image of a known format.") from None
    except (Image.DecompressionBombError, MemoryError):
        raise StillError("too_large", "The image is too large.") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
        # Pillow's readers raise all of these for damaged files.
        raise StillError("broken", "The image is damaged and cannot be read.") from error


def _check_file(path: Path) -> None:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):  # opening a pipe or a device could block for ever
            raise StillError("not_picture", "This is not an image: it is no ordinary file.")
        with path.open("rb") as file:
            head = file.read(1)
    except (FileNotFoundError, NotADirectoryError):
        raise StillError("missing", "The file is not there.") from None
    except (OSError, ValueError):
        raise StillError("missing", "The file could not be opened.") from None
    if not head:
        raise StillError("empty", "The file is empty.")
    if about.st_size > MAX_BYTES:
        raise StillError("too_large", f"The file is larger than {MAX_BYTES >> 20} MiB.")


def _check_size(image: Image.Image, max_pixels: int) -> None:
    """From the header alone, before anything is decoded."""
    if image.width * image.height > max_pixels:
        size = f"{image.width} x {image.height}"
        raise StillError(
            "too_large", f"The image is too large: {size}, over {max_pixels // 1_000_000} megapixels."
        )


def _as_shown(image: Image.Image) -> npt.NDArray[np.uint8]:
    turned = ImageOps.exif_transpose(image)
    if turned.mode in DEEP_MODES:
        deep = np.asarray(turned, dtype=np.int64)
        grey = (deep.clip(0, 65535) >> 8).astype(np.uint8)
        return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
    return np.array(turned.convert("RGB"), dtype=np.uint8)
