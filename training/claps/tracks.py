"""Detections over frames -> one slate's sightings: which box in which frame is the same slate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import hypot

from training.claps.appearance import APPEARANCE_GAP, CLEAR, SEEN, Sighting
from training.claps.evidence import NOISE
from training.slates import Box, Detection, State

#: Boxes of one frame are the same slate when this part of the smaller one lies in the other.
SAME_OBJECT = 0.6
#: From frame to frame, a slate keeps this overlap, or moves less than MOVED of its size and keeps its size.
SAME_TRACK = 0.2
MOVED = 0.75
GROWN = 1.8
#: A track is as good as its best frames: a lamp that looks a little like a slate for minutes is no better.
BEST_FRAMES = 12
#: A second slate is one that is clear in so many frames in which the followed one is clear too.
RIVAL_FRAMES = 3


@dataclass(frozen=True, slots=True)
class Followed:
    """The sightings of the slate that was followed, one for each frame that was looked at.

    `rival` is the first frame in which another slate is clearly in the picture as well.
    """

    sightings: tuple[Sighting, ...]
    rival: int | None


def follow(looks: Sequence[tuple[int, Sequence[Detection]]], *, rate: Fraction) -> Followed:
    """Follow the clearest slate through frames (number, detections), sorted by number.

    Where two slates are in the picture at once, the clearer one is followed as long as it is there.
    """
    chosen: dict[int, Sighting] = {}
    spans: list[tuple[int, int]] = []
    rivals: list[int] = []
    for track in sorted(_tracks(looks, gap=int(APPEARANCE_GAP * rate) + 1), key=_merit):
        both = [one.frame for one in track if one.strength >= CLEAR and _is_clear(chosen.get(one.frame))]
        if len(both) >= RIVAL_FRAMES:
            rivals.append(both[0])
        for one in track:
            if not any(first <= one.frame <= last for first, last in spans):
                chosen[one.frame] = one
        spans.append((track[0].frame, track[-1].frame))
    sightings = tuple(chosen.get(frame, Sighting(frame, 0.0, 0.0)) for frame, _ in looks)
    return Followed(sightings, min(rivals, default=None))


def _merit(track: list[Sighting]) -> tuple[float, int]:
    """Sorts the best track first, of equals the earlier one."""
    best = sorted((one.strength for one in track), reverse=True)[:BEST_FRAMES]
    return -sum(best), track[0].frame


def _is_clear(sighting: Sighting | None) -> bool:
    return sighting is not None and sighting.strength >= CLEAR


@dataclass(slots=True, eq=False)
class _Track:
    """One slate from frame to frame; `box` is where it was last."""

    box: Box
    seen: list[Sighting]

    def firm(self) -> list[Sighting]:
        """From the first to the last frame in which a slate is seen and not only noise."""
        firm = [i for i, one in enumerate(self.seen) if one.strength >= SEEN]
        return self.seen[firm[0] : firm[-1] + 1] if firm else []


def _tracks(looks: Sequence[tuple[int, Sequence[Detection]]], *, gap: int) -> list[list[Sighting]]:
    done: list[_Track] = []
    alive: list[_Track] = []
    for frame, detections in looks:
        done += [track for track in alive if frame - track.seen[-1].frame > gap]
        alive = [track for track in alive if frame - track.seen[-1].frame <= gap]
        alive += _continue(alive, objects_of(frame, detections))
    return [sightings for track in done + alive if (sightings := track.firm())]


def _continue(alive: list[_Track], objects: list[Sighting]) -> list[_Track]:
    """Give each object to the track it fits best, closest pairs first; what is left over starts a track."""
    pairs = [
        (closeness, -i, -j)
        for i, track in enumerate(alive)
        for j, one in enumerate(objects)
        if one.box is not None and (closeness := _closeness(track.box, one.box)) > 0
    ]
    used_tracks: set[int] = set()
    used_objects: set[int] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if -i in used_tracks or -j in used_objects:
            continue
        used_tracks.add(-i)
        used_objects.add(-j)
        one = objects[-j]
        alive[-i].seen.append(one)
        alive[-i].box = one.box or alive[-i].box
    rest = [one for j, one in enumerate(objects) if j not in used_objects]
    return [_Track(one.box, [one]) for one in rest if one.box is not None]


def _closeness(one: Box, other: Box) -> float:
    """1 to 2 for boxes that overlap, 0 to 1 for neighbours of about the same size, 0 for strangers."""
    overlap = one.iou(other)
    if overlap >= SAME_TRACK:
        return 1 + overlap
    sizes = sorted((hypot(one.w, one.h), hypot(other.w, other.h)))
    if sizes[0] <= 0 or sizes[1] > GROWN * sizes[0]:
        return 0.0
    moved = hypot(one.x + one.w / 2 - other.x - other.w / 2, one.y + one.h / 2 - other.y - other.h / 2)
    return max(0.0, 1 - moved / (MOVED * sizes[0]))


def objects_of(frame: int, detections: Iterable[Detection]) -> list[Sighting]:
    """A frame's slates, best first: boxes that lie in each other are one, with the best score per state."""
    groups: list[list[Detection]] = []
    for found in sorted(detections, key=lambda found: -found.score):
        if found.score < NOISE:
            continue
        group = next((group for group in groups if _within(found.box, group[0].box) >= SAME_OBJECT), None)
        if group is None:
            groups.append([found])
        else:
            group.append(found)
    return [_sighting(frame, group) for group in groups]


def _sighting(frame: int, group: list[Detection]) -> Sighting:
    scores = {state: max((one.score for one in group if one.state is state), default=0.0) for state in State}
    return Sighting(frame, scores[State.OPEN], scores[State.CLOSED], group[0].box)


def _within(one: Box, other: Box) -> float:
    """The part of the smaller box that lies in the other one."""
    smaller = min(one.area, other.area)
    overlap = one.iou(other)
    return overlap * (one.area + other.area) / (1 + overlap) / smaller if smaller > 0 else 0.0
