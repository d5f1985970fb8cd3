"""A clip's scan -> the frames worth asking a person about, each with its reasons in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

from training.claps.appearance import CLEAR, SEEN, TELLING, Sighting, split_appearances
from training.claps.evidence import evidence_of, margin_of
from training.claps.tracks import follow
from training.slates import Box, State
from training.uncertainty.doubts import frame_doubts, together
from training.uncertainty.looks import Doubt, Look, Worth

#: The most that each doubt weighs. A missed slate is what the detector cannot find by itself.
FLICKER, GAP, HEARD, ALONE, JUMP, ONE_STATE = 0.8, 0.85, 0.85, 0.6, 0.6, 0.45
#: Around a clap every frame counts: its weight at 0, 1, 2 and 3 frames from it.
NEAR_CLAP = (0.5, 0.5, 0.35, 0.25)
#: Frames at most so far apart (seconds) are neighbours.
NEIGHBOURS = Fraction(1, 4)
#: A slate that is missing for longer than this may have left and come back.
LONGEST_GAP = Fraction(1, 2)
#: A heard clap without a slate: this many frames around it are worth a look.
AROUND_HEARD = 2
#: A box this alike to where its neighbours say it should be is where it should be.
STEADY, LOST = 0.7, 0.2
MOST_REASONS = 3


def frames_worth_asking(
    looks: Sequence[Look], *, claps: Sequence[int], heard: Sequence[float], rate: Fraction, frames: int
) -> list[Worth]:
    """Frames of a clip of `frames` frames at `rate` a second about which something is in doubt, best first.

    `looks`: at most one a frame, in any order, also those in which nothing was seen. `claps`: frames of
    the claps that were read; `heard`: seconds at which claps were heard that were not seen.
    Raises ValueError for a rate that is not positive and for two looks at one frame.
    """
    if rate <= 0:
        raise ValueError(f"a frame rate is positive, not {rate}")
    ordered = sorted(looks, key=lambda look: look.frame)
    if any(one.frame == other.frame for one, other in pairwise(ordered)):
        raise ValueError("two looks at one frame")
    story = _Story(ordered, rate)
    doubts: defaultdict[int, list[Doubt]] = defaultdict(list)
    for frame, doubt in story.doubts(claps):
        doubts[frame].append(doubt)
    unseen = [frame for seconds in sorted(heard) if (frame := story.shown_at(seconds)) < frames]
    for frame, doubt in _heard(unseen):
        doubts[frame].append(doubt)
    spans = story.spans + [(frame - AROUND_HEARD, frame + AROUND_HEARD) for frame in unseen]
    found = [_worth(frame, said, spans) for frame, said in doubts.items() if 0 <= frame < frames]
    return sorted(found, key=lambda worth: (-worth.score, worth.frame))


def _worth(frame: int, doubts: list[Doubt], spans: Sequence[tuple[int, int]]) -> Worth:
    heaviest: dict[str, float] = {}
    for doubt in doubts:
        heaviest[doubt.reason] = max(doubt.weight, heaviest.get(doubt.reason, 0.0))
    reasons = sorted(heaviest, key=lambda reason: (-heaviest[reason], reason))
    score = together(Doubt(weight, reason) for reason, weight in heaviest.items())
    place = next((i for i, (first, last) in enumerate(spans) if first <= frame <= last), None)
    return Worth(frame, round(score, 4), tuple(reasons[:MOST_REASONS]), place)


def _heard(frames: Sequence[int]) -> Iterator[tuple[int, Doubt]]:
    for frame in frames:
        for near in range(frame - AROUND_HEARD, frame + AROUND_HEARD + 1):
            weight = HEARD * 0.9 ** abs(near - frame)
            yield near, Doubt(weight, "a clap is heard here and not seen")


class _Story:
    """The slate that a clip's looks follow, frame by frame."""

    def __init__(self, looks: Sequence[Look], rate: Fraction) -> None:
        self._looks, self._rate = looks, rate
        followed = follow([(look.frame, look.detections) for look in looks], rate=rate)
        self._sightings = followed.sightings
        self._appearances = list(split_appearances(self._sightings, rate=rate))
        self.spans = [(part[0].frame, part[-1].frame) for part in self._appearances]

    def shown_at(self, seconds: float) -> int:
        """The frame at this time: by the nearest look before it, for rates that vary."""
        before = [look for look in self._looks if look.seconds <= seconds]
        if not before:
            return max(0, int(seconds * self._rate))
        return before[-1].frame + int((seconds - before[-1].seconds) * self._rate)

    def doubts(self, claps: Sequence[int]) -> Iterator[tuple[int, Doubt]]:
        for look in self._looks:
            for doubt in frame_doubts(look.detections):
                yield look.frame, doubt
        for appearance in self._appearances:
            yield from _one_state(appearance)
            yield from self._gaps(appearance)
        for before, one, after in zip(
            self._sightings, self._sightings[1:], self._sightings[2:], strict=False
        ):
            if after.frame - before.frame <= max(2.0, float(2 * NEIGHBOURS * self._rate)):
                yield from _out_of_line(before, one, after)
        yield from self._near(claps)

    def _gaps(self, appearance: Sequence[Sighting]) -> Iterator[tuple[int, Doubt]]:
        """Frames in which the slate is missing between two in which it is clear."""
        hits = [i for i, one in enumerate(appearance) if one.strength >= CLEAR]
        for i, j in pairwise(hits):
            if appearance[j].frame - appearance[i].frame > max(2.0, float(LONGEST_GAP * self._rate)):
                continue
            for one in appearance[i + 1 : j]:
                if one.strength < SEEN:
                    yield one.frame, Doubt(GAP, "the slate is seen before and after, but not in this frame")

    def _near(self, claps: Sequence[int]) -> Iterator[tuple[int, Doubt]]:
        for clap in claps:
            for far, weight in enumerate(NEAR_CLAP):
                # Contact is between the last open frame and the clap: both sides are as far from it.
                for frame in (clap + far, clap - far):
                    yield frame, Doubt(weight, _distance(far))


def _distance(far: int) -> str:
    return "the clap is here" if not far else f"the clap is {far} frame{'s' if far > 1 else ''} away"


def _margin(one: Sighting) -> float:
    return margin_of(evidence_of(one.scores))


def _state(one: Sighting) -> State | None:
    """What the frame says by itself; None where it does not tell."""
    margin = _margin(one)
    if abs(margin) < TELLING or one.strength < SEEN:
        return None
    return State.OPEN if margin > 0 else State.CLOSED


def _one_state(appearance: Sequence[Sighting]) -> Iterator[tuple[int, Doubt]]:
    """Closed without having been open, or open to the end: rare, and often a state misread all along."""
    states = {state for one in appearance if (state := _state(one))}
    clear = [one for one in appearance if one.strength >= CLEAR]
    if len(states) != 1 or not clear:
        return
    if states == {State.CLOSED}:
        reason = "the slate is closed all the time: no clap, or it was misread while open"
    else:
        reason = "the slate stays open: the clap may have been missed"
    least = min(clear, key=lambda one: (abs(_margin(one)), one.frame))
    for one in dict.fromkeys((least, clear[0], clear[-1])):
        yield one.frame, Doubt(ONE_STATE, reason)


def _out_of_line(before: Sighting, one: Sighting, after: Sighting) -> Iterator[tuple[int, Doubt]]:
    """What the frame says against both of its neighbours."""
    states = [_state(each) for each in (before, one, after)]
    if states[0] and states[1] and states[0] is states[2] and states[0] is not states[1]:
        reason = f"{states[0]}, {states[1]} and {states[2]} again in three frames"
        yield one.frame, Doubt(FLICKER, reason)
        yield before.frame, Doubt(FLICKER / 2, reason)
        yield after.frame, Doubt(FLICKER / 2, reason)
    if one.strength >= SEEN and max(before.strength, after.strength) < SEEN:
        yield one.frame, Doubt(ALONE, "a slate is seen in this frame only, not in those beside it")
    if one.box and before.box and after.box and min(each.strength for each in (before, one, after)) >= SEEN:
        alike = one.box.iou(_between(before, one.frame, after))
        jump = min(1.0, (STEADY - alike) / (STEADY - LOST))
        if jump > 0:
            yield one.frame, Doubt(JUMP * jump, "the box is not where it is in the frames beside it")


def _between(before: Sighting, frame: int, after: Sighting) -> Box:
    """Where the box would be at an even pace."""
    assert before.box and after.box
    part = (frame - before.frame) / (after.frame - before.frame)
    a, b = before.box, after.box
    x, y, w, h = ((1 - part) * v + part * u for v, u in ((a.x, b.x), (a.y, b.y), (a.w, b.w), (a.h, b.h)))
    return Box(x, y, w, h)
