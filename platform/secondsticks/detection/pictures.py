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

LONGEST_SIDE = 960
#: A clip with more claps than this is misread; its first ones are enough to see why.
PICTURED_CLAPS = 50


def folder_of(scan: Scan) -> Path:
    return scan.clip.folder / "pictures" / str(scan.uuid)


def save(scan: Scan, path: Path, claps: list[dict], *, still_ours: Callable[[], None]) -> dict[int, str]:
    """Write the pictures of a scan's claps; frame number -> file name.

    `still_ours` is called before each. A clap whose frame cannot be read stands without its picture.
    """
    numbers = sorted({clap[name] for clap in claps[:PICTURED_CLAPS] for name in ("last_open", "frame")})
    saved: dict[int, str] = {}
    if not numbers:
        return saved
    folder = folder_of(scan)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FootageError), Footage(path, longest_side=LONGEST_SIDE) as footage:
        for number in numbers:
            still_ours()
            try:
                saved[number] = write_jpeg(footage.frame_at(number).picture, folder / f"{number}.jpg").name
            except FootageError as error:
                log.warning("Frame %s of clip %s has no picture: %s", number, scan.clip.uuid, error)
    return saved


def write_jpeg(picture, target: Path) -> Path:
    """Write under a temporary name, then rename: whoever reads the target finds a whole picture or none."""
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as file:
        Image.fromarray(picture).save(file, "JPEG", quality=88)
    return Path(file.name).replace(target)
