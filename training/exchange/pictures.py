"""Pictures from outside: checked before they are decoded, and turned into what we keep."""

from __future__ import annotations

from io import BytesIO
from typing import IO

from PIL import Image

from training.exchange.archive import DAMAGED
from training.exchange.foreign import PictureProblem

FORMATS = ("JPEG", "PNG", "WEBP")
MOST_PIXELS = 64_000_000
SMALLEST = 16
QUALITY = 95
ORIENTATION = 0x0112
BROKEN = (*DAMAGED, SyntaxError, Image.DecompressionBombError)


def size_of(file: IO[bytes]) -> tuple[int, int]:
    """Width and height in pixels, from a picture's head. Raises PictureProblem."""
    with _opened(file) as picture:
        return picture.size


def as_jpeg(content: bytes) -> tuple[bytes, int, int]:
    """A JPEG with its width and height: the bytes themselves if they are one. Raises PictureProblem."""
    with _opened(BytesIO(content)) as picture:
        try:
            if picture.format == "JPEG" and picture.mode in ("RGB", "L"):
                picture.load()
                return content, *picture.size
            written = BytesIO()
            _on_black(picture).save(written, "JPEG", quality=QUALITY, subsampling=0)
        except BROKEN as error:
            raise PictureProblem("Its picture is damaged.") from error
        return written.getvalue(), *picture.size


def _on_black(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        solid = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", solid.size, (0, 0, 0, 255)), solid).convert("RGB")
    return picture.convert("RGB")


def _opened(file: IO[bytes]) -> Image.Image:
    try:
        picture = Image.open(file, formats=FORMATS)
        turned = picture.getexif().get(ORIENTATION, 1)
    except BROKEN as error:
        raise PictureProblem("Its picture is not a JPEG, PNG or WebP file, or is damaged.") from error
    width, height = picture.size
    if width * height > MOST_PIXELS or min(width, height) < SMALLEST:
        raise PictureProblem(f"Its picture has {width} × {height} pixels.")
    if turned not in (0, 1):
        raise PictureProblem(
            "Its picture is turned by its EXIF orientation: which way its boxes are meant is not clear."
        )
    if getattr(picture, "n_frames", 1) > 1:
        raise PictureProblem("Its picture is an animation.")
    return picture
