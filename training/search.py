"""Where a clip is looked at, coarse to fine: all of it now and then, every frame only where a slate moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from training.claps.appearance import CLEAR, SEEN
from training.claps.evidence import NOISE
from training.claps.tracks import objects_of
from training.footage.footage import Footage, Frame
from training.slates import Detection

#: Seconds between two looks of the coarse pass. A slate is rarely in the picture for less than two.
STEP = Fraction(1, 2)
LONG_STEP = Fraction(1)
LONG = 120  # seconds from which on a clip is long
#: A score in the coarse pass from which on it is worth looking closely.
HIT = 0.2
#: A slate has left when it is not seen for this long; the dense pass goes on for as long as it has not.
LEFT = Fraction(1, 2)
#: The dense pass looks at frames this far apart first, and at those between where the sticks may have moved.
#: Sticks that are opened and closed again are open for longer; shorter flickers count as misread anyway.
STRIDE = Fraction(1, 8)
LONGEST_STRIDE = 8  # frames: what is held in memory does not grow with the rate
#: Open and closed differ by this where nothing needs a closer look.
STEADY = 0.5
BATCH = 8
#: Of the progress, the coarse pass gets this part.
TOTAL, COARSE_SHARE = 1000, 700


class Detector(Protocol):
    """What finds slates in pictures (H x W x 3, uint8, RGB): boxes in pixels of each picture, best first."""

    @property
    def sha256(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def name(self) -> str: ...
    def detect(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> list[list[Detection]]: ...


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total`, never falling; `stage` is "coarse" or "dense"."""

    done: int
    total: int
    stage: str


@dataclass(frozen=True, slots=True)
class FrameDetections:
    """A frame that was looked at; boxes in pixels of the full picture as shown."""

    frame: int
    pts: int
    seconds: Fraction
    detections: tuple[Detection, ...]


class Search:
    """Looks at frames of one clip and remembers what was seen."""

    def __init__(self, footage: Footage, detector: Detector, on_progress: Callable[[Progress], None]) -> None:
        self.looks: dict[int, FrameDetections] = {}
        self._footage = footage
        self._detector = detector
        self._tell = on_progress
        self._done = 0
        facts = footage.facts
        self._last_frame = facts.frames - 1
        self._step = LONG_STEP if facts.duration >= LONG else STEP
        self._stride = max(1, min(LONGEST_STRIDE, int(STRIDE * facts.rate)))
        self._left = max(1, int(LEFT * facts.rate))
        self._chunk = self._stride * BATCH

    def run(self) -> None:
        self._progress("coarse", 0.0)
        coarse = list(self._coarse())
        ranges = list(_around_hits(coarse, [self._strength(frame) >= HIT for frame in coarse]))
        for number, (first, last) in enumerate(ranges):
            self._dense(first, last, number, len(ranges))
            self._grow(first, -1)
            self._grow(last, +1)
        self._progress("dense", 1.0)

    def _coarse(self) -> Iterator[int]:
        expected = max(1.0, float(self._footage.facts.duration / self._step))
        for batch in _batches(self._footage.sample(self._step), BATCH):
            self._look(batch)
            yield from (frame.number for frame in batch)
            self._progress("coarse", len(self.looks) / expected)

    def _grow(self, edge: int, direction: int) -> None:
        """Go on frame by frame beyond a range for as long as a slate is seen near its edge."""
        while 0 < edge < self._last_frame and self._is_near(edge, direction):
            far = min(self._last_frame, max(0, edge + direction * self._chunk))
            self._dense(min(edge + direction, far), max(edge + direction, far), 0, 0)
            edge = far

    def _is_near(self, edge: int, direction: int) -> bool:
        inner = range(edge, edge - direction * (self._left + 1), -direction)
        return any(frame in self.looks and self._strength(frame) >= SEEN for frame in inner)

    def _dense(self, first: int, last: int, number: int, ranges: int) -> None:
        """Look closely from `first` to `last`: every frame, but for spans in which nothing moves."""
        held: list[Frame] = []
        for batch in _batches(self._footage.frames(first, last), self._chunk):
            held += batch
            anchors = [i for i, frame in enumerate(held) if self._is_anchor(frame.number, first, last)]
            self._look([held[i] for i in anchors])
            self._look([held[i] for i in self._between(held, anchors)])
            # The last spans are judged again when it is known what follows.
            held = held[anchors[-3] if len(anchors) >= 3 else 0 :]
            if ranges:
                part = (batch[-1].number - first + 1) / (last - first + 1)
                self._progress("dense", (number + part) / ranges)

    def _is_anchor(self, frame: int, first: int, last: int) -> bool:
        return (frame - first) % self._stride == 0 or frame == last or frame in self.looks

    def _between(self, held: list[Frame], anchors: list[int]) -> list[int]:
        """Indices of the frames in spans where something changes, and in the spans next to those."""
        stances = [self._stance(held[i].number) for i in anchors]
        moves = [a is None or a != b for a, b in pairwise(stances)]
        return [
            i
            for span, (start, end) in enumerate(pairwise(anchors))
            if any(moves[max(0, span - 1) : span + 2])
            for i in range(start + 1, end)
        ]

    def _look(self, frames: list[Frame]) -> None:
        new = [frame for frame in frames if frame.number not in self.looks]
        for batch in _batches(iter(new), BATCH):
            found = self._detector.detect([frame.picture for frame in batch])
            for frame, detections in zip(batch, found, strict=True):
                self.looks[frame.number] = self._at_full_size(frame, detections)

    def _at_full_size(self, frame: Frame, detections: list[Detection]) -> FrameDetections:
        height, width = frame.picture.shape[:2]
        sx, sy = self._footage.facts.width / width, self._footage.facts.height / height
        scaled = tuple(replace(found, box=found.box.scaled(sx, sy)) for found in detections)
        return FrameDetections(frame.number, frame.pts, frame.seconds, scaled)

    def _strength(self, frame: int) -> float:
        return max((found.score for found in self.looks[frame].detections), default=0.0)

    def _stance(self, frame: int) -> str | None:
        """What is beyond doubt: "nothing", "open" or "closed"; None elsewhere."""
        objects = objects_of(frame, self.looks[frame].detections)
        if not objects or objects[0].strength < NOISE:
            return "nothing"
        best = objects[0]
        others = any(other.strength >= SEEN for other in objects[1:])
        if others or best.strength < CLEAR or abs(best.open - best.closed) < STEADY:
            return None
        return "open" if best.open > best.closed else "closed"

    def _progress(self, stage: str, part: float) -> None:
        part = min(1.0, part)
        done = COARSE_SHARE * part if stage == "coarse" else COARSE_SHARE + (TOTAL - COARSE_SHARE) * part
        self._done = max(self._done, int(done))
        self._tell(Progress(self._done, TOTAL, stage))


def _around_hits(frames: list[int], hits: list[bool]) -> Iterator[tuple[int, int]]:
    """First and last frame from the miss before to the miss after each run of hits; these never overlap."""
    start: int | None = None
    for i, hit in enumerate(hits):
        if hit and start is None:
            start = frames[max(0, i - 1)]
        nothing_follows = i + 1 == len(hits) or not (hit or hits[i + 1])
        if start is not None and nothing_follows:
            yield start, frames[i]
            start = None


def _batches(frames: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    while batch := list(islice(frames, size)):
        yield batch
