"""What a decision about a clip says about its frames: "a nudge is a label". Pure.

Before a clap the sticks are open, from its frame on they are closed. Boxes are those of the scan, where
neighbouring frames agree. Where that is not sure, nothing is derived: no label is better than a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from training.claps.appearance import CLEAR, SEEN, Sighting
from training.claps.tracks import objects_of
from training.slates import Box, Detection, State

#: Frames on each side of a clap.
AROUND = 6
#: Boxes of neighbouring frames are sure from this overlap on. Less is a slate in motion, or not the same one.
AGREE = 0.7
#: Of a clip: labels of claps, of a slate held closed, of a clip without a slate.
MOST, MOST_MOS, MOST_WITHOUT = 40, 8, 6
#: Frames of a clip without a slate lie at least this far apart: neighbours say the same.
APART = 12
SMALLEST = 4.0  # pixels
#: A state with a lower score is plainly not seen, where the other one is.
PLAINLY_NOT = 0.3
#: Where all frames of a side plainly contradict what a person says, so many of them are labelled.
UNBELIEVED = 3

Seen = Mapping[int, Sequence[Detection]]


class Kind(StrEnum):
    CLAP = "clap"
    MOS = "mos"
    NO_SLATE = "no slate"


@dataclass(frozen=True)
class Event:
    """What holds for a clip by a person's word; `frame` is that of a clap, `decision` says so."""

    kind: Kind
    decision: UUID
    frame: int = 0


@dataclass(frozen=True)
class Label:
    """What follows for a frame; without a box there is no slate in it."""

    frame: int
    decision: UUID
    box: Box | None = None
    state: State | None = None


def derive(events: Sequence[Event], seen: Seen, *, width: int, height: int) -> list[Label]:
    """The labels of a clip's frames, from all that people said about it and what its scan saw.

    `seen` has an entry for each frame that was looked at; boxes are in pixels of a picture of this size.
    """
    slates = {frame: objects_of(frame, detections) for frame, detections in seen.items()}
    whole = next((event for event in events if event.kind != Kind.CLAP), None)
    if whole is not None and whole.kind == Kind.NO_SLATE:
        return [Label(frame, whole.decision) for frame in _mistaken(slates)]
    sure = {frame: box for frame, box in _boxes(slates).items() if _fits(box, width, height)}
    if whole is not None:
        return _held_closed(whole, sure, slates)
    claps = sorted((event for event in events if event.kind == Kind.CLAP), key=lambda event: event.frame)
    found: dict[int, Label] = {}
    for number, clap in enumerate(claps):
        first = (claps[number - 1].frame + clap.frame) // 2 + 1 if number else 0
        last = (clap.frame + claps[number + 1].frame) // 2 if number + 1 < len(claps) else clap.frame + AROUND
        for label in _around(clap, sure, slates, first, last):
            found.setdefault(label.frame, label)
    return sorted(found.values(), key=lambda label: label.frame)[:MOST]


def _mistaken(slates: Mapping[int, Sequence[Sighting]]) -> Iterator[int]:
    """The frames in which the scan was surest of a slate that is none."""
    strengths = {frame: max((one.strength for one in found), default=0.0) for frame, found in slates.items()}
    taken: list[int] = []
    for frame in sorted(strengths, key=lambda frame: (-strengths[frame], frame)):
        if len(taken) == MOST_WITHOUT or strengths[frame] < SEEN:
            return
        if all(abs(frame - other) >= APART for other in taken):
            taken.append(frame)
            yield frame


def _boxes(slates: Mapping[int, Sequence[Sighting]]) -> dict[int, Box]:
    """Where the slate is, in frames with one slate, plainly seen, or between two such that agree."""
    plain = {frame: box for frame, found in slates.items() if (box := _only(found)) is not None}
    between = {
        frame: _middle(plain[frame - 1], plain[frame + 1])
        for frame, found in slates.items()
        if not _any(found) and frame - 1 in plain and frame + 1 in plain
        and plain[frame - 1].iou(plain[frame + 1]) >= AGREE
    }  # fmt: skip
    return plain | between


def _any(found: Sequence[Sighting]) -> bool:
    return any(one.strength >= SEEN for one in found)


def _only(found: Sequence[Sighting]) -> Box | None:
    """The one slate of a frame; a second one would need a state of its own, which nobody has said."""
    there = [one for one in found if one.strength >= SEEN]
    return there[0].box if len(there) == 1 and there[0].strength >= CLEAR else None


def _middle(one: Box, other: Box) -> Box:
    return Box(*((a + b) / 2 for a, b in zip(_sides(one), _sides(other), strict=True)))


def _sides(box: Box) -> tuple[float, float, float, float]:
    return box.x, box.y, box.w, box.h


def _fits(box: Box, width: int, height: int) -> bool:
    """Whether a box is nearly all in the picture: of a slate that is half outside, the sticks may be."""
    inside = clipped(box, width, height)
    return min(inside.w, inside.h) >= SMALLEST and inside.area >= 0.9 * box.area


def clipped(box: Box, width: int, height: int) -> Box:
    left, top = max(box.x, 0.0), max(box.y, 0.0)
    return Box(left, top, min(box.x + box.w, width) - left, min(box.y + box.h, height) - top)


def _around(
    clap: Event, sure: Mapping[int, Box], slates: Mapping[int, Sequence[Sighting]], first: int, last: int
) -> Iterator[Label]:
    """Both sides of a clap, from `first` to `last` at most."""
    before = range(clap.frame - 1, max(clap.frame - AROUND, first, 0) - 1, -1)
    after = range(clap.frame, min(clap.frame + AROUND, last) + 1)
    for frames, state in ((before, State.OPEN), (after, State.CLOSED)):
        for frame in _side(frames, sure, slates, state):
            yield Label(frame, clap.decision, sure[frame], state)


def _side(
    frames: Iterable[int], sure: Mapping[int, Box], slates: Mapping[int, Sequence[Sighting]], state: State
) -> list[int]:
    """The sure frames going away from a clap, as long as it is one slate in one state."""
    walked: list[int] = []
    for frame in frames:
        if frame not in slates or (walked and not _any(slates[frame]) and frame not in sure):
            break  # nobody has looked, or the slate has left
        walked.append(frame)
    against = [_says_otherwise(slates[frame], state) for frame in walked]
    if all(against):
        walked = walked[:UNBELIEVED]  # the scan is wrong; how long the sticks stay so, nobody has said
    else:
        last = max(i for i, otherwise in enumerate(against) if not otherwise)
        walked = walked[: last + 1]  # farther away they are opened again, or were not open yet
    return [frame for frame in walked if frame in sure and _is_steady(frame, walked, sure)]


def _says_otherwise(found: Sequence[Sighting], state: State) -> bool:
    """Whether a frame plainly shows the other state."""
    best = max(found, key=lambda one: one.strength, default=None)
    if best is None:
        return False
    said, other = (best.open, best.closed) if state is State.OPEN else (best.closed, best.open)
    return other >= CLEAR and said < PLAINLY_NOT


def _is_steady(frame: int, walked: Sequence[int], sure: Mapping[int, Box]) -> bool:
    """Whether the slate stays where it is in the neighbouring frames of its side of the clap."""
    near = [other for other in (frame - 1, frame + 1) if other in walked]
    return bool(near) and all(other in sure and sure[other].iou(sure[frame]) >= AGREE for other in near)


def _held_closed(
    event: Event, sure: Mapping[int, Box], slates: Mapping[int, Sequence[Sighting]]
) -> list[Label]:
    """Frames from all over the time in which a slate without a clap is in the picture.

    Those that look open are left out: sticks held open with a hand are MOS as well.
    """
    walked = sorted(slates)
    frames = [
        frame
        for frame in walked
        if frame in sure
        and not _says_otherwise(slates[frame], State.CLOSED)
        and _is_steady(frame, walked, sure)
    ]
    step = max(1, -(-len(frames) // MOST_MOS))
    return [Label(frame, event.decision, sure[frame], State.CLOSED) for frame in frames[::step]]
