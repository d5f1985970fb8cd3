"""A clip's facts and pictures, read by a decode child behind a fence. No libav in this process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from training.footage.facts import FOOTAGE_ERRORS, AudioStream, ClipFacts, FootageError, Limits
from training.footage.fence import Child
from training.footage.sniff import refuse_what_is_no_video
from training.sound.blocks import SoundBlock

__all__ = [
    "FOOTAGE_ERRORS",
    "AudioStream",
    "ClipFacts",
    "Footage",
    "FootageError",
    "Frame",
    "Limits",
    "make_proxy",
    "playable_in_browser",
    "probe",
]

_Message: TypeAlias = tuple[dict[str, Any], npt.NDArray[np.uint8]]
LIMITS = Limits()
PROXY_LIMITS = Limits(cpu_seconds=48 * 3600)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: H x W x 3 uint8 RGB as shown; `seconds` counts from the clip's first frame."""

    number: int  # 0-based, in presentation order
    pts: int
    seconds: Fraction
    picture: npt.NDArray[np.uint8]
    damaged: bool = False  # the decoder had to guess parts of it: never label or train on it


def probe(path: Path, *, limits: Limits = LIMITS) -> ClipFacts:
    """The facts of a video file; raises FootageError with a sentence for the user."""
    with Footage(path, limits=limits) as footage:
        return footage.facts


class Footage:
    """An open clip. Owns one decode child, which dies with it; use as a context manager.

    Frame numbers rank the times (PTS) of all packets that are shown, so they are exact for variable
    rates, start offsets and edit lists. Pictures come scaled so that no side is over `longest_side`
    (None: full size). One iterator can be open at a time: starting another one ends the first.
    """

    def __init__(self, path: Path, *, longest_side: int | None = 640, limits: Limits = LIMITS) -> None:
        self._path = path = Path(path).absolute()
        refuse_what_is_no_video(path)
        self._longest_side = longest_side
        self._missing: set[int] = set()
        self._damaged: set[int] = set()
        self._turn = 0
        self._streaming = False
        self._child = Child(limits, writes=False)
        try:
            self._child.send({"do": "open", "path": os.fspath(path)})
            header, _ = self._child.receive()
        except BaseException:
            self._child.close()
            raise
        self.facts: ClipFacts = ClipFacts.from_json(header["facts"])

    @property
    def warnings(self) -> tuple[str, ...]:
        """The facts' warnings and those that came up while decoding, as plain sentences."""
        late = [
            f"{len(numbers)} of the frames looked at {how}."
            for numbers, how in (
                (self._missing, "could not be decoded and were left out"),
                (self._damaged, "are damaged"),
            )
            if numbers
        ]
        return (*self.facts.warnings, *late)

    def sample(self, step: Fraction) -> Iterator[Frame]:
        """About one frame per `step` seconds, the first and the last one always among them.

        Keyframes where they lie close enough together. The same frames on every run.
        """
        if step <= 0:
            raise ValueError("step must be above 0 seconds")
        return self._pictures({"do": "sample", "step": str(Fraction(step)), "side": self._longest_side})

    def frames(self, first: int, last: int) -> Iterator[Frame]:
        """Every readable frame from `first` to `last`, both included, in order.

        Frames that cannot be decoded are left out, and `warnings` then says so.
        """
        if not 0 <= first <= last < self.facts.frames:
            raise IndexError(f"frames {first} to {last} of a clip with {self.facts.frames}")
        return self._pictures({"do": "frames", "first": first, "last": last, "side": self._longest_side})

    def frame_at(self, number: int, *, longest_side: int | None = None) -> Frame:
        """One frame, at most `longest_side` wide or high (None: as this Footage was opened)."""
        if not 0 <= number < self.facts.frames:
            raise IndexError(f"frame {number} of a clip with {self.facts.frames}")
        side = longest_side or self._longest_side
        for frame in self._pictures({"do": "frames", "first": number, "last": number, "side": side}):
            return frame
        raise FootageError("broken", f"Frame {number} of this file is damaged and cannot be shown.")

    def sound(self, stream: int | None = None) -> Iterator[SoundBlock]:
        """All samples of every audio stream, or of the one with this index: blocks of about half a second.

        A stream's blocks come in order; where its sound has a gap, `first` of the next one jumps. Streams
        come interleaved as they lie in the file. A clip without sound gives no block.
        """
        if stream is not None and stream not in [one.index for one in self.facts.audio]:
            raise IndexError(f"stream {stream} is none of the clip's audio streams")
        for header, body in self._stream({"do": "sound", "path": os.fspath(self._path), "stream": stream}):
            samples = body.view(np.float32).reshape(header["channels"], -1)
            yield SoundBlock(header["stream"], header["sample_rate"], header["first"], samples)

    def close(self) -> None:
        self._child.close()

    def __enter__(self) -> Footage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _pictures(self, request: dict[str, Any]) -> Iterator[Frame]:
        for header, body in self._stream(request):
            if header["damaged"]:
                self._damaged.add(header["number"])
            yield _frame(header, body)

    def _stream(self, request: dict[str, Any]) -> Generator[_Message, None, None]:
        self._settle()
        self._turn += 1
        turn = self._turn
        self._child.send(request)
        self._streaming = True
        try:
            while True:
                if turn != self._turn:
                    raise RuntimeError("another iterator of this Footage was started")
                header, body = self._child.receive()
                if header["is"] == "end":
                    self._end(header)
                    return
                yield header, body
        except FootageError:
            self._streaming = False
            raise
        finally:
            if turn == self._turn:
                with contextlib.suppress(FootageError):  # the next request will say it
                    self._settle()

    def _settle(self) -> None:
        """Stop a stream that nobody reads on, so that the child listens to the next request."""
        if self._streaming and self._child.alive:
            self._child.send({"do": "stop"})
            while self._streaming:
                header, _ = self._child.receive()
                if header["is"] == "end":
                    self._end(header)

    def _end(self, header: dict[str, Any]) -> None:
        self._streaming = False
        self._missing.update(header["missing"])


def _frame(header: dict[str, Any], body: npt.NDArray[np.uint8]) -> Frame:
    return Frame(
        number=header["number"],
        pts=header["pts"],
        seconds=Fraction(header["seconds"]),
        picture=body.reshape(header["height"], header["width"], 3),
        damaged=header["damaged"],
    )


def make_proxy(
    path: Path,
    target: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = PROXY_LIMITS,
) -> None:
    """Write a copy that a browser plays and seeks: H.264 and AAC in mp4, at most 1280 wide or high.

    Every frame keeps its time: frame n is shown from `Frame.seconds` of n on. `progress(done, frames)`
    is called about once a second. The target appears whole or not at all.
    """
    path, target = Path(path).absolute(), Path(target).absolute()
    refuse_what_is_no_video(path)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    child = Child(limits, writes=True)
    try:
        child.send({"do": "proxy", "path": os.fspath(path), "target": os.fspath(partial)})
        while (header := child.receive()[0])["is"] != "end":
            if progress:
                progress(header["done"], header["total"])
        partial.replace(target)
    finally:
        child.close()
        with contextlib.suppress(FileNotFoundError):
            partial.unlink()


_MP4_FAMILY = {"mov", "mp4"}
_PLAYABLE = {
    # container: (video codecs, audio codecs) that Chromium, Firefox and Safari all show
    "mp4": ({"h264"}, {"aac", "mp3"}),
    "webm": ({"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
}


def playable_in_browser(facts: ClipFacts) -> bool:
    """Whether a browser plays the file itself, with its clock at 0 on the clip's first frame."""
    family = "mp4" if facts.container in _MP4_FAMILY else facts.container
    if family not in _PLAYABLE or facts.start_offset or facts.edited:
        return False
    pictures, sounds = _PLAYABLE[family]
    return (
        facts.codec in pictures
        and facts.pixel_format in {"yuv420p", "yuvj420p"}
        and all(stream.codec in sounds for stream in facts.audio)
    )
