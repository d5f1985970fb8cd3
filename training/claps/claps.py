"""States over time -> claps and a verdict, with the reason in words. Pure: the heart of the product.

A clap is the FIRST closed frame after open evidence in one appearance of a slate. Closed from start to end is
a MOS slate: no clap. Open to the end is no clap either, but worth a look. A doubted clap is never `sure`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from training.claps.appearance import CLEAR, Appearance, Clap, Sighting, few, frames, split_appearances
from training.slates import State

__all__ = ["Clap", "Reading", "Sighting", "Verdict", "read_claps", "with_claps_at"]

#: Where no slate is clear, a shape this faint that stays for FAINT_FRAMES is worth a look.
FAINT = 0.3
FAINT_FRAMES = 3
#: A MOS slate clearly shows closed sticks in so many frames, and open ones in fewer.
MOS_FRAMES = 3
#: From this part of the clip on, a clap is near the end.
LATE = Fraction(3, 4)


class Verdict(StrEnum):
    """What a clip needs: nothing, a person's look, or no clap at all."""

    SURE = "sure"
    LOOK = "look"
    MOS = "mos"
    NO_SLATE = "no slate"


@dataclass(frozen=True, slots=True)
class Reading:
    """All claps of a clip in order, its verdict, and why."""

    claps: tuple[Clap, ...]
    verdict: Verdict
    reason: str


def read_claps(sightings: Sequence[Sighting], *, rate: Fraction) -> Reading:
    """Read the claps from a slate's sightings: at most one a frame, in any order, at `rate` frames a second.

    Where the sticks are not seen between open and closed, the clap is the first frame that shows them closed.
    Raises ValueError for a rate that is not positive and for two sightings of one frame.
    """
    if rate <= 0:
        raise ValueError(f"a frame rate is positive, not {rate}")
    seen = sorted(sightings, key=lambda sighting: sighting.frame)
    if any(one.frame == other.frame for one, other in pairwise(seen)):
        raise ValueError("two sightings of one frame")
    clip_end = seen[-1].frame if seen else 0
    parts = split_appearances(seen, rate=rate)
    appearances = [Appearance(part, rate=rate, clip_end=clip_end) for part in parts]
    slates = [appearance for appearance in appearances if appearance.is_slate]
    if any(slate.claps for slate in slates):
        return _with_claps(slates)
    if slates:
        return _without_claps(slates)
    return _without_slates(appearances, rate)


def with_claps_at(reading: Reading, claps: Sequence[Clap], *, clip_end: int) -> Reading:
    """The reading with its claps at other frames, or with fewer of them; its reason says so."""
    told = _summary(reading.claps, clip_end=clip_end)
    seeming = f"the sticks seem to close at {_list([f'frame {clap.frame}' for clap in reading.claps])}"
    tells = _summary(claps, clip_end=clip_end) if claps else seeming
    return replace(reading, claps=tuple(claps), reason=reading.reason.replace(told, tells, 1))


def _with_claps(slates: list[Appearance]) -> Reading:
    found = [pair for slate in slates for pair in slate.claps]
    claps = tuple(clap for clap, _ in found)
    where = "at frame {} " if len(found) > 1 else ""
    doubts = [where.format(clap.frame) + _list(words) for clap, words in found if words]
    doubts += _left_open(slates)
    summary = _summary(claps, clip_end=slates[0].clip_end)
    if doubts:
        return Reading(claps, Verdict.LOOK, f"{summary}, but {'; '.join(doubts)}")
    return Reading(claps, Verdict.SURE, summary)


def _summary(claps: Sequence[Clap], *, clip_end: int) -> str:
    places = _list([str(clap.frame) for clap in claps])
    if len(claps) > 1:
        return f"second sticks: the slate closes at frames {places}"
    late = ", near the end of the clip" if claps[0].frame > LATE * clip_end else ""
    return f"the slate closes at frame {places}{late}"


def _left_open(slates: list[Appearance]) -> Iterator[str]:
    """Slates that come back open after the last clap: sticks that were perhaps not seen to close."""
    last = max(clap.frame for slate in slates for clap, _ in slate.claps)
    for slate in slates:
        if slate.first > last and slate.ends_open:
            yield f"an open slate comes back at frame {slate.first} and is never seen to close"


def _without_claps(slates: list[Appearance]) -> Reading:
    opened = [slate for slate in slates if State.OPEN in slate.states]
    if opened:
        return Reading((), Verdict.LOOK, _never_closed(opened[-1], slates))
    closed = [frame for slate in slates for frame in slate.telling(State.CLOSED)]
    if len(closed) < MOS_FRAMES:
        reason = f"{few(len(closed))} clearly showing a closed slate, and none showing an open one"
        return Reading((), Verdict.LOOK, reason)
    flickers = [frame for slate in slates for frame in slate.telling(State.OPEN)]
    if len(flickers) >= MOS_FRAMES:
        words = f"closed slate, but {frames(len(flickers))} from frame {flickers[0]} on show it open"
        return Reading((), Verdict.LOOK, words)
    if not all(slate.is_plainly_closed for slate in slates):
        reason = "the slate seems closed as long as it is seen, but not clearly: perhaps MOS"
        return Reading((), Verdict.LOOK, reason)
    reason = "the slate is closed as long as it is seen: MOS, no clap"
    if slates[0].first == 0:
        reason += "; a clap before the first frame would not show"
    return Reading((), Verdict.MOS, reason)


def _never_closed(slate: Appearance, slates: list[Appearance]) -> str:
    reason = f"open slate seen from frame {slate.first} to {slate.last}, never seen to close"
    closed = slate.telling(State.CLOSED)
    if slate.ends_open and slate.last == slate.clip_end:
        return f"{reason} before the clip ends"
    if closed:
        return f"{reason} for good: closed only at frame {closed[0]}, for a moment or before it opens"
    later = [other.first for other in slates if other.first > slate.last]
    return f"{reason}; when a slate comes back at frame {later[0]}, it is closed" if later else reason


def _without_slates(appearances: list[Appearance], rate: Fraction) -> Reading:
    for appearance in appearances:
        strengths = [one.strength for one in appearance.sightings]
        if max(strengths) >= CLEAR or sum(value >= FAINT for value in strengths) >= FAINT_FRAMES:
            place = f"{_clock(appearance.first, rate)} (frame {appearance.first})"
            return Reading((), Verdict.LOOK, f"only a faint or fleeting slate-like shape at {place}")
    return Reading((), Verdict.NO_SLATE, "no slate is seen in the whole clip")


def _clock(frame: int, rate: Fraction) -> str:
    seconds = int(frame / rate)
    return f"{seconds // 60}:{seconds % 60:02d}"


def _list(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
