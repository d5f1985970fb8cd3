"""Reads slates for programs that must not load onnxruntime: in a fenced, killable child process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from training.claps.sharpness import part, sharpest
from training.footage.facts import FootageError, Limits
from training.footage.fence import Child
from training.footage.footage import Footage
from training.slate_text import is_installed
from training.slate_text.failures import SAID, NotInstalled, SlateTextFailed

#: Around the slate: detections are a little tight at times. In shares of the box's longer side.
MARGIN = 0.06
#: More pixels than this on a side make it slower and read no better.
LONGEST_SIDE = 1280
#: Frames are compared for sharpness with no side over this.
COMPARED_SIDE = 1920
LIMITS = Limits(memory_bytes=3 << 30, cpu_seconds=24 * 3600, answer_seconds=60.0)
_SENTENCES = {
    "timeout": "Reading the slate took too long.",
    "memory": "Reading the slate needs too much memory.",
    "broken": "Reading the slate failed: the reader stopped in the middle.",
}


@dataclass(frozen=True, slots=True)
class SlateText:
    """`fields`: field -> its text and confidence; `lines`: all that was read, each as a layout.Line."""

    fields: dict[str, dict[str, Any]]
    lines: list[dict[str, Any]]
    upside_down: bool


class SlateReader:
    """A reading child, started at the first slate and again after it has died. For one thread at a time."""

    def __init__(self, *, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._child: Child | None = None

    def read(self, picture: npt.NDArray[np.uint8]) -> SlateText:
        """What is written on the slate in a picture, H x W x 3 RGB. Raises SlateTextFailed."""
        picture = _fitting(picture)
        height, width = picture.shape[:2]
        try:
            child = self._running()
            child.send({"height": height, "width": width}, picture.tobytes())
            said, _ = child.receive()
        except FootageError as error:
            self.close()
            raise SlateTextFailed(_sentence(error)) from None
        return SlateText(said["fields"], said["lines"], said["upside_down"])

    def read_frame(self, path: Path, frame: int, box: Sequence[float] | None) -> SlateText:
        """The slate in one frame of a clip, at full size. `box`: left, top, width, height; None: all of it.

        Raises SlateTextFailed, and FootageError for a clip that cannot be read.
        """
        with Footage(path, longest_side=None) as footage:
            picture = footage.frame_at(min(frame, footage.facts.frames - 1)).picture
        if box is not None:
            picture = part(picture, box, full_width=picture.shape[1], margin=MARGIN)
        return self.read(picture)

    def read_sharpest(self, path: Path, shown: dict[int, list[float]]) -> tuple[int, SlateText] | None:
        """The sharpest of some frames and its slate; None without one. `shown`: frame -> box of the slate."""
        with Footage(path, longest_side=COMPARED_SIDE) as footage:
            frame = sharpest(footage, shown)
        return None if frame is None else (frame, self.read_frame(path, frame, shown[frame]))

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def __enter__(self) -> SlateReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> Child:
        if self._child is None or not self._child.alive:
            self.close()
            if not is_installed():
                raise NotInstalled
            self._child = Child(self._limits, writes=False, module="training.slate_text.child")
        return self._child


def _sentence(error: FootageError) -> str:
    """The fence speaks of files; this is about a slate. What the child says itself stays."""
    own = str(error).removeprefix(SAID)
    return own if own != str(error) else _SENTENCES[error.kind]


def _fitting(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    if max(picture.shape[:2]) <= LONGEST_SIDE:
        return np.ascontiguousarray(picture)
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return np.asarray(image)
