"""Where a clip lies in a recorder's sound file: by timecode, by claps, and how far the two disagree. Pure.

The offset is the place of the clip's first frame in the sound file: positive when the recorder started first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from training.claps.appearance import Clap
from training.claps.fusion import MIDDLE, RIVAL
from training.footage.facts import ClipFacts
from training.sound.files import SoundFile
from training.sound.transients import Transient
from training.timecode import TimecodeError, frame_count_of

#: Where timecode says, claps are looked for this near (seconds): clocks that were never jammed drift further.
NEAR_TIMECODE = Fraction(5)
#: Sounds within so many frames of where the other claps put them belong to the same offset.
TOGETHER = 2
#: Of the sounds in a file, so many of the surest may be claps.
MOST_HEARD = 100
#: An offset is believed when no other one has more than this part of its support.
CLEARLY_BEST = 0.8


@dataclass(frozen=True, slots=True)
class SoundLink:
    """`offset_samples` are of the sound file, `offset_frames` of the clip. `how`: "clap" or "timecode".

    The clap's word is taken where there is one; `disagreement_ms` is the clap's offset minus the timecode's.
    """

    offset_samples: int
    offset_frames: Fraction
    how: str
    by_timecode: int | None
    by_clap: int | None
    disagreement_ms: float | None


def link(
    facts: ClipFacts, claps: Sequence[Clap], sound: SoundFile, transients: Sequence[Transient]
) -> SoundLink | None:
    """Link a clip to a sound file, `transients` being those heard in the file; None where nothing tells."""
    by_timecode = _by_timecode(facts, sound)
    by_clap = _by_clap(facts, claps, sound, transients, by_timecode)
    offset = by_clap if by_clap is not None else by_timecode
    if offset is None:
        return None
    both = by_clap is not None and by_timecode is not None
    return SoundLink(
        offset_samples=offset,
        offset_frames=Fraction(offset, sound.sample_rate) * facts.rate,
        how="timecode" if by_clap is None else "clap",
        by_timecode=by_timecode,
        by_clap=by_clap,
        disagreement_ms=round(1000 * ((by_clap or 0) - (by_timecode or 0)) / sound.sample_rate, 2)
        if both
        else None,
    )


def _by_timecode(facts: ClipFacts, sound: SoundFile) -> int | None:
    """From the clip's start timecode and the file's time reference, both counted from midnight.

    A timecode's frames last as long as the clip's: at 23.976, 01:00:00:00 is 3603.6 s after midnight, and so
    recorders set the time reference. A difference of over half a day is a midnight in between.
    """
    if facts.start_timecode is None or sound.time_reference is None:
        return None
    try:
        count = frame_count_of(facts.start_timecode, facts.rate, facts.drop_frame)
        day = frame_count_of("23:59:59:00", facts.rate, facts.drop_frame) + round(facts.rate)
    except TimecodeError:
        return None
    apart = count / facts.rate - Fraction(sound.time_reference, sound.sample_rate)
    apart = (apart + day / facts.rate / 2) % (day / facts.rate) - day / facts.rate / 2
    return round(apart * sound.sample_rate)


def _by_clap(
    facts: ClipFacts,
    claps: Sequence[Clap],
    sound: SoundFile,
    transients: Sequence[Transient],
    hint: int | None,
) -> int | None:
    """The offset that puts the most and surest sounds on the clip's claps; None if two do so as well."""
    times = [_time_of(clap, facts.rate) for clap in claps]
    heard = [one for one in transients if one.confidence >= RIVAL]
    heard = sorted(heard, key=lambda one: (-one.confidence, one.seconds))[:MOST_HEARD]
    near = None if hint is None else Fraction(hint, sound.sample_rate)
    offsets = {one.seconds - time for time in times for one in heard}
    if near is not None:
        offsets = {offset for offset in offsets if abs(offset - near) <= NEAR_TIMECODE}
    if not offsets:
        return None
    tolerance = TOGETHER / facts.rate
    support = {offset: _support(offset, times, heard, float(tolerance)) for offset in sorted(offsets)}
    best = max(support, key=lambda offset: support[offset])
    others = [value for offset, value in support.items() if abs(offset - best) > 2 * tolerance]
    if others and max(others) > CLEARLY_BEST * support[best]:
        return None
    return round(best * sound.sample_rate)


def _time_of(clap: Clap, rate: Fraction) -> Fraction:
    """When the sticks met: to the sample where that is known, else the middle of the picture's interval."""
    if clap.sample is not None and clap.sample_rate:
        return Fraction(clap.sample, clap.sample_rate)
    return (Fraction(clap.last_open + clap.frame, 2) + MIDDLE) / rate


def _support(
    offset: Fraction, times: Sequence[Fraction], heard: Sequence[Transient], tolerance: float
) -> float:
    """How much speaks for an offset: for each clap the surest sound there, less the further away it is."""
    total = 0.0
    for time in times:
        there = [(one, abs(one.seconds - time - offset)) for one in heard]
        close = [
            one.confidence * (1 - float(away / tolerance) / 4) for one, away in there if away <= tolerance
        ]
        total += max(close, default=0.0)
    return total
