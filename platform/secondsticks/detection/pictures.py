"""JPEGs of a scan, in its own folder: both frames of each clap, the frames around it, the sharpest slate."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from PIL import Image

from secondsticks.detection import waveform
from secondsticks.detection.models import Scan
from training.claps import sharpness
from training.footage.footage import Footage, FootageError, Frame

log = logging.getLogger(__name__)

#: Frames are read with no side over this; pictures are saved with no side over SAVED_SIDE or STRIP_SIDE.
READ_SIDE = 1920
SAVED_SIDE = 960
STRIP_SIDE = 320
#: A picture shows the slate and its surroundings: so many times its longer side, and all of a close one.
AROUND = 2.0
#: Small pictures are closer.
STRIP_TIMES = 1.4
#: So many frames on each side of a clap are kept as small pictures: the nine of the filmstrip, and nudges.
STRIP_AROUND = 6
#: A clip with more claps than this is misread; its first ones are enough to see why.
PICTURED_CLAPS = 50


@dataclass
class Saved:
    """What was saved: frame -> file name of the claps' pictures; the frame and file of the sharpest slate."""

    claps: dict[int, str] = field(default_factory=dict)
    slate: int | None = None
    slate_picture: str = ""


def folder_of(scan: Scan) -> Path:
    return scan.clip.folder / "pictures" / str(scan.uuid)


def strip_file(scan: Scan, frame: int) -> Path:
    return folder_of(scan) / "strip" / f"{frame}.jpg"


def save(scan: Scan, path: Path, result: dict, *, still_ours: Callable[[], None]) -> Saved:
    """Write the pictures and the waveform of a scan's result.

    `still_ours` is called before each part of the work. A clap whose frame cannot be read stands without
    its picture.
    """
    saved = Saved()
    claps = result["claps"][:PICTURED_CLAPS]
    shown = sharpness.candidates(result)
    if not (claps or shown or scan.clip.audio):
        return saved
    strip_file(scan, 0).parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FootageError), Footage(path, longest_side=READ_SIDE) as footage:
        for clap in claps:
            still_ours()
            save_clap(scan, footage, clap, saved)
        if shown:
            still_ours()
            save_slate(scan, footage, shown, saved)
        waveform.save(folder_of(scan), footage, still_ours=still_ours)
    return saved


def save_clap(scan: Scan, footage: Footage, clap: dict, saved: Saved) -> None:
    """Write the last open and the first closed frame, and small ones of the frames around."""
    first = max(clap["frame"] - STRIP_AROUND, 0)
    last = min(clap["frame"] + STRIP_AROUND, footage.facts.frames - 1)
    try:
        if clap["last_open"] < first:
            save_frame(scan, footage, footage.frame_at(clap["last_open"]), clap, saved)
        for frame in footage.frames(first, last):
            save_frame(scan, footage, frame, clap, saved)
    except (FootageError, IndexError) as error:
        log.warning("A clap at frame %s of clip %s has no picture: %s", clap["frame"], scan.clip.uuid, error)


def save_frame(scan: Scan, footage: Footage, frame: Frame, clap: dict, saved: Saved) -> None:
    picture, width = Image.fromarray(frame.picture), footage.facts.width
    if frame.number in (clap["last_open"], clap["frame"]):
        target = folder_of(scan) / f"{frame.number}.jpg"
        shown = around(clap["box"], picture, full_width=width)
        saved.claps[frame.number] = write_jpeg(shown, target, SAVED_SIDE).name
    write_strip(scan, frame, clap["box"], width)


def write_strip(scan: Scan, frame: Frame, box: list[float] | None, full_width: int) -> None:
    """Write the small picture of one frame."""
    shown = around(box, Image.fromarray(frame.picture), full_width=full_width, times=STRIP_TIMES)
    write_jpeg(shown, strip_file(scan, frame.number), STRIP_SIDE)


def save_slate(scan: Scan, footage: Footage, shown: dict[int, list[float]], saved: Saved) -> None:
    """Write the sharpest of the frames that show a closed slate. `shown`: frame -> its box."""
    best = 0.0
    for frame in footage.frames(min(shown), max(shown)):
        if frame.number not in shown:
            continue
        box, width = shown[frame.number], footage.facts.width
        sharp = sharpness.of(sharpness.part(frame.picture, box, full_width=width))
        if sharp > best:
            best, saved.slate = sharp, frame.number
            close = around(box, Image.fromarray(frame.picture), full_width=width, times=1.25)
            saved.slate_picture = write_jpeg(close, folder_of(scan) / "slate.jpg", SAVED_SIDE).name


def around(
    box: list[float] | None, picture: Image.Image, *, full_width: int, times: float = AROUND
) -> Image.Image:
    """The part of the picture around a slate, in the picture's own shape; all of it without a box.

    `box` is left, top, width, height in a picture of `full_width`.
    """
    if box is None:
        return picture
    x, y, w, h = (value * picture.width / full_width for value in box)
    share = min(1.0, max(w / picture.width, h / picture.height) * times)
    wide, high = max(round(picture.width * share), 1), max(round(picture.height * share), 1)
    left = min(max(round(x + w / 2 - wide / 2), 0), picture.width - wide)
    top = min(max(round(y + h / 2 - high / 2), 0), picture.height - high)
    return picture.crop((left, top, left + wide, top + high))


def write_jpeg(picture: Image.Image, target: Path, side: int) -> Path:
    """Write under a temporary name, then rename: whoever reads the target finds a whole picture or none."""
    picture = picture.copy()
    picture.thumbnail((side, side))
    with NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as file:
        picture.save(file, "JPEG", quality=88)
    return Path(file.name).replace(target)
