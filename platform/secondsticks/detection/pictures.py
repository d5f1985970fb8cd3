"""JPEGs of the frames around each clap: the last open one and the first closed one."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile

from PIL import Image

from secondsticks.detection.models import Scan
from training.footage import Footage, FootageError

log = logging.getLogger(__name__)

#: Frames are read with no side over this, and pictures are saved with no side over SAVED_SIDE.
READ_SIDE = 1920
SAVED_SIDE = 960
#: A picture shows the slate and its surroundings: so many times its longer side, and all of a close one.
AROUND = 2.0
#: A clip with more claps than this is misread; its first ones are enough to see why.
PICTURED_CLAPS = 50


def folder_of(scan: Scan) -> Path:
    return scan.clip.folder / "pictures" / str(scan.uuid)


def save(scan: Scan, path: Path, claps: list[dict], *, still_ours: Callable[[], None]) -> dict[int, str]:
    """Write the pictures of a scan's claps; frame number -> file name.

    `still_ours` is called before each. A clap whose frame cannot be read stands without its picture.
    """
    claps = claps[:PICTURED_CLAPS]
    boxes = {clap[name]: clap["box"] for clap in claps for name in ("last_open", "frame")}
    saved: dict[int, str] = {}
    if not boxes:
        return saved
    folder = folder_of(scan)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FootageError), Footage(path, longest_side=READ_SIDE) as footage:
        for number, box in sorted(boxes.items()):
            still_ours()
            try:
                picture = Image.fromarray(footage.frame_at(number).picture)
            except FootageError as error:
                log.warning("Frame %s of clip %s has no picture: %s", number, scan.clip.uuid, error)
                continue
            shown = around(box, picture, full_width=footage.facts.width)
            saved[number] = write_jpeg(shown, folder / f"{number}.jpg").name
    return saved


def around(box: list[float] | None, picture: Image.Image, *, full_width: int) -> Image.Image:
    """The part of the picture around a slate, in the picture's own shape; all of it without a box.

    `box` is left, top, width, height in a picture of `full_width`.
    """
    if box is None:
        return picture
    x, y, w, h = (value * picture.width / full_width for value in box)
    share = min(1.0, max(w / picture.width, h / picture.height) * AROUND)
    wide, high = round(picture.width * share), round(picture.height * share)
    left = min(max(round(x + w / 2 - wide / 2), 0), picture.width - wide)
    top = min(max(round(y + h / 2 - high / 2), 0), picture.height - high)
    return picture.crop((left, top, left + wide, top + high))


def write_jpeg(picture: Image.Image, target: Path) -> Path:
    """Write under a temporary name, then rename: whoever reads the target finds a whole picture or none."""
    picture.thumbnail((SAVED_SIDE, SAVED_SIDE))
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as file:
        picture.save(file, "JPEG", quality=88)
    return Path(file.name).replace(target)
