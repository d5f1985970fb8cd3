"""What is written into every format: clips, and markers at their claps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from training.timecode import TimecodeError, frame_count_of, timecode_at


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A clap: where it is, how sure we are, and who has said so."""

    frame: int  # the first closed one, counted from 0
    timecode: str  # of that frame; empty at rates that timecode cannot count
    seconds: float  # from the first frame, from the file's own time stamps
    confidence: float | None = None  # 0 to 1; None where a person set the marker
    sure: bool = True
    kind: str = "clap"  # "clap", "tail", "second sticks", …
    note: str = ""
    checkpoint: str = ""  # sha256 of the weights that saw it
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    sample: int | None = None  # of the sound, from the first frame, at `sample_rate`
    sample_rate: int | None = None
    disagreement_ms: float | None = None  # between picture and sound


@dataclass(frozen=True, kw_only=True)
class LinkedSound:
    """Where the clip's first frame lies in a sound recorder's file; negative: the clip began first."""

    file: str
    offset_samples: int
    sample_rate: int
    time_reference: int | None = None  # samples from midnight to the file's first one
    tape: str = ""  # as the recorder named it
    how: str = ""  # "timecode", "claps", "by hand"
    sure: bool = True

    def offset_frames(self, rate: Fraction) -> Fraction:
        return Fraction(self.offset_samples, self.sample_rate) * rate

    def count_at_start(self, rate: Fraction) -> int | None:
        """Frames from midnight to the clip's first one by the recorder's clock; None where it has none."""
        if self.time_reference is None:
            return None
        return math.floor(Fraction(self.time_reference + self.offset_samples, self.sample_rate) * rate)


@dataclass(frozen=True, kw_only=True)
class MarkedClip:
    """A clip and its markers, sorted by frame. Without a verdict it was not scanned: see `reason`."""

    name: str
    path: Path | None = None  # None where the importing program could not reach it anyway
    rate: Fraction | None = None  # frames per second; None in a file that could not be read
    frames: int = 0
    duration: Fraction | None = None  # seconds; only looked at where the frame rate is variable
    variable_rate: bool = False
    start_timecode: str | None = None
    drop_frame: bool = False
    width: int = 0
    height: int = 0
    channels: int = 0  # of all its sound together
    sample_rate: int = 0  # of its first sound stream, in Hz
    claps: tuple[Marker, ...] = ()
    verdict: str = ""
    reason: str = ""
    scene: str = ""
    take: str = ""
    roll: str = ""
    camera: str = ""
    #: Field -> text that a machine read off the slate and nobody has accepted: only where it can say so.
    suggested: Mapping[str, str] = field(default_factory=dict, hash=False)
    checkpoint: str = ""
    sound: LinkedSound | None = None

    @property
    def is_read(self) -> bool:
        return bool(self.verdict and self.rate and self.frames)

    @property
    def fps(self) -> Fraction:
        """The rate of a clip that `is_read`."""
        if self.rate is None:
            raise ValueError(f"{self.name} has not been read")
        return self.rate

    @cached_property
    def start(self) -> int | None:
        """Frames from midnight to the first frame; None where timecode cannot count at this rate."""
        try:
            return frame_count_of(self.start_timecode or "00:00:00:00", self.fps, self.drop_frame)
        except TimecodeError:
            return None

    @property
    def length(self) -> int:
        """Frames that an editing program counts in this clip."""
        if self.variable_rate and self.duration is not None:
            return max(1, round(self.duration * self.fps))
        return self.frames

    def place(self, marker: Marker) -> int:
        """The frame where an editing program has this clap.

        They all play variable-rate footage at its nominal rate, by its time stamps: there the time decides.
        """
        if self.variable_rate:
            return min(round(Fraction(marker.seconds) * self.fps), self.length - 1)
        return marker.frame

    def label_of(self, count: int) -> str:
        """The timecode that many frames from midnight, counted as this clip counts."""
        return timecode_at(count, self.fps, None, self.drop_frame)

    def timecode_at(self, frame: int) -> str:
        """The label of a frame, also of the one after the last."""
        return timecode_at(frame, self.fps, self.start_timecode, self.drop_frame)
