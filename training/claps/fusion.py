"""Picture and sound -> one reading. Pure. The picture says which frame; the sound says when within it.

Contact lies between the middle of the last open frame's exposure and that of the first closed frame's. The
disagreement of a clap is how far the sound's onset lies outside of that interval: 0 inside, negative when the
sound comes first, positive when it comes after the picture. The A/V offset of a clip is the median over its
claps. Sound moves a clap only among frames in which open and closed are hard to tell apart: sticks that are
almost shut (training.claps.shut) are taken for open until the sound says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from training.claps.appearance import SEEN, TELLING, Clap, Sighting
from training.claps.claps import Reading, Verdict, with_claps_at
from training.claps.shut import almost_shut, one_later
from training.sound.transients import Hearing, Transient

#: The middle of an exposure with a 180 degree shutter, in frames from the frame's start.
MIDDLE = Fraction(1, 4)
#: Sound within so many frames of the picture's interval agrees with it, and within AT_LEAST seconds at high
#: rates: a microphone 10 m away hears 30 ms late.
AGREES = 2
AT_LEAST = Fraction(60, 1000)
#: Sound never comes before the sticks meet. Where it does by more than this (seconds), sound and picture are
#: out of step or the frame is late by one: that is for a person to see.
EARLY = Fraction(5, 1000)
#: Sound that comes this soon (seconds) after almost shut sticks may be theirs: a microphone 3 m away.
NEARBY = Fraction(10, 1000)
#: A single clear sound within so many frames shows by how much sound and picture are apart.
APART = 10
#: What is confident enough: where a clap is seen; apart from it; where no clap is seen.
HEARD, CLEARLY, ALONE = 0.1, 0.8, 0.9
#: A clap heard where none is seen is worth a word only if no other sound is nearly like it.
RIVAL = 0.5
#: An open slate's clap may be heard until so long after it was last seen (seconds).
AFTER_SLATE = Fraction(2)
UNHEARD = "no clap is heard there"
ALMOST = "the sticks may already be shut in frame {}"
#: A clap that should be heard and is not needs a picture this confident. Soft sticks have over 0.8, slates
#: that only seem to close less than 0.4.
UNHEARD_NEEDS = 0.5
#: What is left of the confidence of a clap that should have been heard and was not.
UNHEARD_FACTOR = 0.7


@dataclass(frozen=True, slots=True)
class Fused:
    """A reading with its sound. `heard`: claps that were heard and not seen. `av_offset_ms`: see above."""

    reading: Reading
    heard: tuple[Transient, ...] = ()
    av_offset_ms: float | None = None


class Frames:
    """When frames are: by their time stamps where they were looked at, by the rate elsewhere."""

    def __init__(self, times: Mapping[int, Fraction], rate: Fraction, last: int) -> None:
        self._times, self.rate, self.last = times, rate, last

    def seconds(self, frame: int) -> Fraction:
        return self._times.get(frame, frame / self.rate)

    def middle(self, frame: int) -> Fraction:
        return self.seconds(frame) + MIDDLE / self.rate

    def shown_at(self, seconds: Fraction) -> int:
        """The frame on screen at this time."""
        guess = max(0, min(self.last, int(seconds * self.rate)))
        while guess > 0 and self.seconds(guess) > seconds:
            guess -= 1
        while guess < self.last and self.seconds(guess + 1) <= seconds:
            guess += 1
        return guess

    def closed_by(self, seconds: Fraction) -> int:
        """The first frame that shows sticks closed which met at this time."""
        frame = self.shown_at(seconds)
        return frame if self.middle(frame) >= seconds else frame + 1


def fuse(reading: Reading, hearing: Hearing, sightings: Sequence[Sighting], frames: Frames) -> Fused:
    """Join what was read from the picture with what was heard. Without sound the picture's word stands."""
    if not reading.claps:
        return _only_heard(reading, hearing, sightings, frames) if hearing.audible else Fused(reading)
    listener = _Listener(hearing, sightings, frames)
    claps: list[Clap] = []
    doubts: list[str] = []
    befores = [-1, *(clap.frame for clap in reading.claps[:-1])]
    nexts = [*(clap.last_open for clap in reading.claps[1:]), frames.last]
    for clap, after, until in zip(reading.claps, befores, nexts, strict=True):
        fused, doubt = listener.clap(clap, after, until)
        if fused.sound_confidence == 0 and clap.confidence < UNHEARD_NEEDS:
            doubt = f"{UNHEARD}, so none is counted"
        else:
            claps.append(fused)
        if doubt:
            doubts.append(f"at frame {fused.frame} {doubt}" if len(reading.claps) > 1 else doubt)
    offsets = [clap.disagreement_ms for clap in claps if clap.disagreement_ms is not None]
    clip_end = max((one.frame for one in sightings), default=0)
    joined = _doubted(with_claps_at(reading, claps, clip_end=clip_end), doubts)
    return Fused(joined, av_offset_ms=round(median(offsets), 2) if offsets else None)


def _doubted(reading: Reading, doubts: list[str]) -> Reading:
    if not doubts:
        return reading
    joint = ", but " if reading.verdict is Verdict.SURE else "; "
    return replace(reading, verdict=Verdict.LOOK, reason=reading.reason + joint + "; ".join(doubts))


class _Listener:
    """Finds each seen clap in the sound."""

    def __init__(self, hearing: Hearing, sightings: Sequence[Sighting], frames: Frames) -> None:
        self._hearing, self._frames = hearing, frames
        self._seen = {one.frame: one for one in sightings}

    def clap(self, clap: Clap, after: int, until: int) -> tuple[Clap, str | None]:
        """The clap with its sound, and a doubt in words if picture and sound don't agree.

        `after`: the frame of the clap before; `until`: the last open frame of the one that follows.
        """
        clap = replace(clap, picture_confidence=clap.confidence)
        opened, closed = self._clear_frames(clap, after, until)
        almost = closed < until and almost_shut(clap, self._seen)
        seen = clap
        if almost:
            clap, closed = one_later(seen, self._seen), max(closed, seen.frame + 1)
        unsettled = ALMOST.format(clap.last_open) if almost else None
        if not self._hearing.audible:
            return clap, unsettled
        start, end = self._frames.middle(opened), self._frames.middle(closed)
        reach = max(AGREES / self._frames.rate, AT_LEAST)
        if found := self._best(start - reach, end + reach, HEARD):
            if almost and found.seconds <= self._frames.middle(clap.last_open):
                clap, almost = seen, False  # heard already: they had met
            return self._agreed(clap, found, opened, closed, almost)
        wide = APART / self._frames.rate
        apart = [one for one in self._between(start - wide, end + wide) if one.confidence >= CLEARLY]
        if len(apart) == 1:
            return self._apart(clap, apart[0], start, end)
        if not self._hearing.covers(start) or not self._hearing.covers(end):
            return clap, unsettled
        confidence = round(clap.confidence * UNHEARD_FACTOR, 4)
        doubt = UNHEARD if not apart else "several sounds near it could be the clap"
        return replace(clap, confidence=confidence, sound_confidence=0.0), doubt

    def _clear_frames(self, clap: Clap, after: int, until: int) -> tuple[int, int]:
        """The last frame beyond doubt open before the clap, and the first one closed."""
        opened, closed = clap.last_open, clap.frame
        while opened - 1 > after and self._is_unclear(opened) and opened - 1 in self._seen:
            opened -= 1
        while closed < until and self._is_unclear(closed) and closed + 1 in self._seen:
            closed += 1
        return opened, closed

    def _is_unclear(self, frame: int) -> bool:
        """Whether a slate is seen there, but open and closed are hard to tell apart."""
        one = self._seen.get(frame)
        return one is not None and one.strength >= SEEN and abs(one.open - one.closed) < TELLING

    def _between(self, start: Fraction, end: Fraction) -> list[Transient]:
        return [one for one in self._hearing.transients if start <= one.seconds <= end]

    def _best(self, start: Fraction, end: Fraction, least: float) -> Transient | None:
        found = [one for one in self._between(start, end) if one.confidence >= least]
        return max(found, key=lambda one: one.confidence, default=None)

    def _agreed(
        self, clap: Clap, found: Transient, opened: int, closed: int, almost: bool
    ) -> tuple[Clap, str | None]:
        frame = self._frames.closed_by(found.seconds)
        doubt = None
        if closed - opened > 1 and opened < frame <= closed and frame != clap.frame:
            doubt = f"the picture alone would say frame {clap.frame}, the sound says {frame}"
            seen = self._seen.get(frame)
            box = seen.box if seen and seen.box else clap.box
            clap = replace(clap, frame=frame, last_open=min(clap.last_open, frame - 1), box=box)
        elif almost and not self._is_plainly_later(found.seconds, clap):
            doubt = ALMOST.format(clap.last_open)
        start, end = self._frames.middle(clap.last_open), self._frames.middle(clap.frame)
        if doubt is None and found.seconds < start - EARLY:
            clap = _with_sound(clap, found, start, end)
            early = -(clap.disagreement_ms or 0)
            return clap, f"the sound comes {early:.0f} ms before the sticks are seen shut"
        raised = clap.confidence + (1 - clap.confidence) * found.confidence / 2
        return _with_sound(replace(clap, confidence=round(raised, 4)), found, start, end), doubt

    def _is_plainly_later(self, seconds: Fraction, clap: Clap) -> bool:
        """Whether sticks heard then were still apart in the frame that shows them almost shut."""
        return self._frames.middle(clap.last_open) + NEARBY <= seconds <= self._frames.middle(clap.frame)

    def _apart(self, clap: Clap, found: Transient, start: Fraction, end: Fraction) -> tuple[Clap, str]:
        clap = _with_sound(
            replace(clap, confidence=round(clap.confidence * UNHEARD_FACTOR, 4)), found, start, end
        )
        assert clap.disagreement_ms is not None
        side = "after" if clap.disagreement_ms > 0 else "before"
        return clap, f"the sound comes {abs(clap.disagreement_ms):.0f} ms {side} the picture"


def _with_sound(clap: Clap, found: Transient, start: Fraction, end: Fraction) -> Clap:
    outside = min(Fraction(0), found.seconds - start) + max(Fraction(0), found.seconds - end)
    return replace(
        clap,
        sound_confidence=found.confidence,
        sample=found.sample,
        sample_rate=found.sample_rate,
        disagreement_ms=round(float(outside * 1000), 2),
    )


def _only_heard(reading: Reading, hearing: Hearing, sightings: Sequence[Sighting], frames: Frames) -> Fused:
    """No clap is seen: is there one clap-like sound, and only one, where a slate is or was just before?"""
    found = _the_one(hearing.transients)
    if reading.verdict is not Verdict.NO_SLATE:
        spans = _near_slates(hearing.transients, sightings, frames)
        found = _the_one(spans)
    if found is None:
        return Fused(reading)
    frame = frames.shown_at(found.seconds)
    clock = f"{int(found.seconds) // 60}:{float(found.seconds % 60):06.3f}"
    doubt = f"a clap is heard at {clock} (frame {frame}) that is not seen"
    joint = ", but " if reading.verdict in (Verdict.MOS, Verdict.NO_SLATE) else "; "
    return Fused(
        replace(reading, verdict=Verdict.LOOK, reason=reading.reason + joint + doubt), heard=(found,)
    )


def _the_one(transients: Sequence[Transient]) -> Transient | None:
    like = [one for one in transients if one.confidence >= RIVAL]
    return like[0] if len(like) == 1 and like[0].confidence >= ALONE else None


def _near_slates(
    transients: Sequence[Transient], sightings: Sequence[Sighting], frames: Frames
) -> list[Transient]:
    seen = [frames.seconds(one.frame) for one in sightings if one.strength >= SEEN]
    return [one for one in transients if any(0 <= one.seconds - at <= AFTER_SLATE for at in seen)]
