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
#: Recorders write 2997/100 for 30000/1001; 24 and 23.976 are five times further apart than this.
SLOPPY = Fraction(1, 5000)


@dataclass(frozen=True, slots=True)
class SoundLink:
    """`offset_samples` are of the sound file, `offset_frames` of the clip. `how`: "claps" or "timecode".

    The claps' word is taken where there is one; `disagreement_ms` is their offset minus the timecode's.
    `heard` says how many of the clip's claps are heard there, `confidence` how sure that is, from 0 to 1.
    """

    offset_samples: int
    offset_frames: Fraction
    how: str
    by_timecode: int | None
    by_claps: int | None
    disagreement_ms: float | None
    heard: int = 0
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class _Fit:
    """Where claps put a clip, in seconds, and what speaks for it."""

    offset: Fraction
    heard: int
    confidence: float


def link(
    facts: ClipFacts, claps: Sequence[Clap], sound: SoundFile, transients: Sequence[Transient]
) -> SoundLink | None:
    """Link a clip to a sound file, `transients` being those heard in the file; None where nothing tells.

    Where timecode tells, claps are only looked for near it: see `link_by_claps` for claps alone.
    """
    by_timecode = offset_by_timecode(facts, sound)
    near = None if by_timecode is None else Fraction(by_timecode, sound.sample_rate)
    fit = _fit(facts, claps, sound, transients, near)
    if fit is None and by_timecode is None:
        return None
    return _linked(facts, sound, fit, by_timecode)


def link_by_claps(
    facts: ClipFacts, claps: Sequence[Clap], sound: SoundFile, transients: Sequence[Transient]
) -> SoundLink | None:
    """Link by claps alone, wherever timecode would put the clip."""
    fit = _fit(facts, claps, sound, transients, None)
    return None if fit is None else _linked(facts, sound, fit, None)


def _linked(facts: ClipFacts, sound: SoundFile, fit: _Fit | None, by_timecode: int | None) -> SoundLink:
    by_claps = None if fit is None else round(fit.offset * sound.sample_rate)
    offset = by_claps if by_claps is not None else by_timecode or 0
    apart = None if by_claps is None or by_timecode is None else by_claps - by_timecode
    return SoundLink(
        offset_samples=offset,
        offset_frames=frames_of(offset, sound.sample_rate, facts.rate),
        how="timecode" if fit is None else "claps",
        by_timecode=by_timecode,
        by_claps=by_claps,
        disagreement_ms=None if apart is None else round(1000 * apart / sound.sample_rate, 2),
        heard=fit.heard if fit else 0,
        confidence=fit.confidence if fit else 0.0,
    )


def frames_of(samples: int, sample_rate: int, rate: Fraction) -> Fraction:
    return Fraction(samples, sample_rate) * rate


def offset_by_timecode(facts: ClipFacts, sound: SoundFile) -> int | None:
    """From the clip's start timecode and the file's time reference, both counted from midnight; else None.

    A timecode's frames last as long as those of who counts: at 23.976, 01:00:00:00 is 3603.6 s after
    midnight, and so recorders set the time reference. Equal labels are the same moment, so where the
    recorder says at which rate it counted, the clip's label is counted at that rate. A difference of over
    half a day is a midnight in between.
    """
    if facts.start_timecode is None or sound.time_reference is None:
        return None
    rate, drop = recorder_counting(facts, sound)
    try:
        start = _seconds_of(facts, rate, drop)
        day = _frames_per_day(rate, drop) / rate
    except TimecodeError:
        return None
    apart = start - Fraction(sound.time_reference, sound.sample_rate)
    apart = (apart + day / 2) % day - day / 2
    return round(apart * sound.sample_rate)


def recorder_counting(facts: ClipFacts, sound: SoundFile) -> tuple[Fraction, bool]:
    """The rate of the recorder's timecode and whether it dropped frames; the clip's where it does not say."""
    rate = sound.timecode_rate or facts.rate
    times = max(1, round(facts.rate / rate))  # 50 and 25, 59.94 and 29.97 count the same seconds
    if abs(facts.rate / rate / times - 1) < SLOPPY:
        rate = facts.rate
    drop = facts.drop_frame if sound.drop_frame is None else sound.drop_frame
    return rate, drop and rate.denominator == 1001 and round(rate) % 30 == 0


def counts_alike(facts: ClipFacts, sound: SoundFile) -> bool:
    """Whether camera and recorder, as far as the file says, count timecode at one rate."""
    return recorder_counting(facts, sound) == (facts.rate, facts.drop_frame)


def _seconds_of(facts: ClipFacts, rate: Fraction, drop: bool) -> Fraction:
    """From midnight to the clip's first frame for one who counts its label at `rate`."""
    count = frame_count_of(facts.start_timecode or "", facts.rate, facts.drop_frame)
    if (rate, drop) == (facts.rate, facts.drop_frame):
        return count / facts.rate
    label = (facts.start_timecode or "").strip()
    frames = int(label[9:]) * round(rate) // round(facts.rate)
    mark = ";" if drop else ":"
    return frame_count_of(f"{label[:8]}{mark}{frames:02}", rate, drop) / rate


def _frames_per_day(rate: Fraction, drop: bool) -> Fraction:
    mark = ";" if drop else ":"
    return Fraction(frame_count_of(f"23:59:59{mark}00", rate, drop) + round(rate))


def _fit(
    facts: ClipFacts,
    claps: Sequence[Clap],
    sound: SoundFile,
    transients: Sequence[Transient],
    near: Fraction | None,
) -> _Fit | None:
    """The offset that puts the most and surest sounds on the clip's claps; None if two do so as well."""
    times = [time_of(clap, facts.rate) for clap in claps]
    heard = [one for one in transients if one.confidence >= RIVAL]
    if near is not None and times:
        first, last = min(times) + near - NEAR_TIMECODE, max(times) + near + NEAR_TIMECODE
        heard = [one for one in heard if first <= one.seconds <= last]
    heard = sorted(heard, key=lambda one: (-one.confidence, one.seconds))[:MOST_HEARD]
    offsets = {one.seconds - time for time in times for one in heard}
    if near is not None:
        offsets = {offset for offset in offsets if abs(offset - near) <= NEAR_TIMECODE}
    if not offsets:
        return None
    tolerance = TOGETHER / facts.rate
    support = {offset: _support(offset, times, heard, float(tolerance)) for offset in sorted(offsets)}
    best = max(support, key=lambda offset: sum(support[offset]))
    others = [sum(value) for offset, value in support.items() if abs(offset - best) > 2 * tolerance]
    if others and max(others) > CLEARLY_BEST * sum(support[best]):
        return None
    told = [value for value in support[best] if value]
    return _Fit(best, len(told), round(sum(told) / len(times), 4))


def time_of(clap: Clap, rate: Fraction) -> Fraction:
    """When the sticks met: to the sample where that is known, else the middle of the picture's interval."""
    if clap.sample is not None and clap.sample_rate:
        return Fraction(clap.sample, clap.sample_rate)
    return (Fraction(clap.last_open + clap.frame, 2) + MIDDLE) / rate


def _support(
    offset: Fraction, times: Sequence[Fraction], heard: Sequence[Transient], tolerance: float
) -> list[float]:
    """How much speaks for an offset: for each clap the surest sound there, less the further away it is."""
    support = []
    at, sounds = float(offset), [(float(one.seconds), one.confidence) for one in heard]
    for time in map(float, times):
        close = [
            confidence * (1 - away / tolerance / 4)
            for seconds, confidence in sounds
            if (away := abs(seconds - time - at)) <= tolerance
        ]
        support.append(max(close, default=0.0))
    return support
