"""Small pictures of single frames for the filmstrip: made with the scan, or when somebody asks.

Made when asked, the work is bounded: so many at a time, and each with the limits of the fence.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore

from secondsticks.detection import pictures
from secondsticks.detection.models import Clap, Scan
from secondsticks.footage.fetching import OnItsWay, at_hand, patient
from secondsticks.footage.models import Clip
from training.footage.facts import Limits
from training.footage.footage import Footage, FootageError

#: Asked for one frame, so many on each side are made with it: its neighbours are asked for next.
AROUND = 4
#: Frames so far (seconds) from a clap are shown as close up as the clap is.
NEAR = 10
LIMITS = Limits(cpu_seconds=60)
AT_A_TIME = 2
#: So many may be there, at work and waiting, for so many seconds: the web server has eight threads in all.
PRESENT = 4
PATIENCE = 10
_turns = BoundedSemaphore(AT_A_TIME)
_places = BoundedSemaphore(PRESENT)


class Busy(Exception):
    """Too many ask for frames at once."""


def frame_file(clip: Clip, scan: Scan, number: int) -> Path:
    """The picture of one frame, made now if need be. Raises Busy and FootageError."""
    target = pictures.strip_file(scan, number)
    if target.is_file():
        return target
    with turn():
        if not target.is_file():
            make(clip, scan, number)
    return target


def seconds_at(clip: Clip, number: int) -> float:
    """When a frame is shown, from the first one. Reads the clip only if its rate varies."""
    if not clip.variable_rate:
        return float(number / clip.rate)
    with turn(), soon(clip) as path, Footage(path, longest_side=64, limits=LIMITS) as footage:
        return float(footage.frame_at(number).seconds)


def make(clip: Clip, scan: Scan, number: int) -> None:
    """Write the pictures of a frame and its neighbours."""
    box = box_near(clip, scan, number)
    pictures.strip_file(scan, number).parent.mkdir(parents=True, exist_ok=True)
    with soon(clip) as path, Footage(path, longest_side=pictures.READ_SIDE, limits=LIMITS) as footage:
        first, last = max(number - AROUND, 0), min(number + AROUND, footage.facts.frames - 1)
        for frame in footage.frames(first, last):
            pictures.write_strip(scan, frame, box, footage.facts.width)
    if not pictures.strip_file(scan, number).is_file():
        raise FootageError("broken", f"Frame {number} of this file is damaged and cannot be shown.")


def box_near(clip: Clip, scan: Scan, number: int) -> list[float] | None:
    """The box of the scan's nearest clap, if that is near."""
    claps = Clap.objects.filter(scan=scan, x__isnull=False)
    nearest = min(claps, key=lambda clap: abs(clap.frame - number), default=None)
    if nearest is None or abs(nearest.frame - number) > NEAR * clip.rate:
        return None
    return [side for side in (nearest.x, nearest.y, nearest.w, nearest.h) if side is not None]


@contextmanager
def soon(clip: Clip) -> Iterator[Path]:
    """The clip's file while somebody waits for a page. Raises Busy while it is still being fetched."""
    try:
        with at_hand(clip, tick=patient(PATIENCE)) as path:
            yield path
    except OnItsWay:
        raise Busy from None


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn, with few others. Raises Busy."""
    if not _places.acquire(blocking=False):
        raise Busy
    try:
        if not _turns.acquire(timeout=PATIENCE):
            raise Busy
        try:
            yield
        finally:
            _turns.release()
    finally:
        _places.release()
