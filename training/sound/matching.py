"""Which of several recorders' files belongs to a clip, and how sure that is. Pure.

Timecode comes first: a file whose time overlaps the clip's. Where a clap is heard in it, near where timecode
puts it, both agree. Where no timecode overlaps, claps decide alone; a single one says little, because nearly
every recording has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from training.claps.appearance import Clap
from training.claps.fusion import AGREES, AT_LEAST
from training.footage.facts import ClipFacts
from training.slates import Box
from training.sound.files import SoundFile
from training.sound.links import (
    CLEARLY_BEST,
    SoundLink,
    counts_alike,
    link,
    link_by_claps,
    offset_by_timecode,
)
from training.sound.transients import Transient
from training.timecode import TimecodeError, frame_count_of

#: In a reason, so many files are named.
NAMED = 3


class Certainty(StrEnum):
    SURE = "sure"
    LOOK = "look"
    NO_MATCH = "no match"


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file and the sounds in it that may be claps."""

    sound: SoundFile
    heard: Sequence[Transient] = ()

    @property
    def name(self) -> str:
        return self.sound.path.name


@dataclass(frozen=True, slots=True)
class Match:
    """The recording of a clip and its place there. A `look` without a recording: several fit as well."""

    certainty: Certainty
    reason: str
    recording: Recording | None = None
    link: SoundLink | None = None


@dataclass(frozen=True, slots=True)
class _Candidate:
    recording: Recording
    link: SoundLink
    covered: Fraction = Fraction(0)  # how much of the clip the file covers by timecode, 0 to 1
    agrees: bool = False  # a clap is heard where timecode has it


def match(facts: ClipFacts, claps: Sequence[Clap], recordings: Iterable[Recording]) -> Match:
    """Find a clip's recording. `claps`: those seen, and those only heard (`claps_of`)."""
    recordings = list(recordings)
    if not recordings:
        return Match(Certainty.NO_MATCH, "there is no sound file")
    timed = [one for one in (_by_timecode(facts, claps, each) for each in recordings) if one]
    if timed:
        return _timed(facts, claps, timed)
    return _by_claps(facts, claps, recordings)


def claps_of(result: dict[str, Any]) -> list[Clap]:
    """The claps in the result of a scan (docs/scan-json.md): seen, and heard without being seen."""
    rate = Fraction(result["facts"]["rate"])
    heard = (result.get("sound") or {}).get("heard") or []
    return [_clap(clap) for clap in result["claps"]] + [heard_clap(one, rate) for one in heard]


def heard_clap(heard: dict[str, Any], rate: Fraction) -> Clap:
    """A clap that was heard and not seen."""
    sample, sample_rate = heard["sample"], heard["sample_rate"]
    frame = int(Fraction(sample, sample_rate) * rate)
    return Clap(frame, heard["confidence"], frame - 1, sample=sample, sample_rate=sample_rate)


def _clap(document: dict[str, Any]) -> Clap:
    known = {name: document[name] for name in Clap.__slots__ if name in document}
    return Clap(**known | {"box": Box(*document["box"]) if document.get("box") else None})


def _by_timecode(facts: ClipFacts, claps: Sequence[Clap], recording: Recording) -> _Candidate | None:
    """A recording that overlaps the clip by timecode."""
    sound = recording.sound
    offset = offset_by_timecode(facts, sound)
    if offset is None or not sound.samples or _nobody_set(facts, sound):
        return None
    start = Fraction(offset, sound.sample_rate)
    shared = min(start + facts.duration, sound.duration) - max(start, Fraction(0))
    found = link(facts, claps, sound, recording.heard)
    if found is None or shared <= 0:
        return None
    near = float(1000 * max(AGREES / facts.rate, AT_LEAST))
    agrees = found.disagreement_ms is not None and abs(found.disagreement_ms) <= near
    return _Candidate(recording, found, min(shared / facts.duration, Fraction(1)), agrees)


def _nobody_set(facts: ClipFacts, sound: SoundFile) -> bool:
    """Midnight on both sides is what devices write whose clock nobody set."""
    try:
        count = frame_count_of(facts.start_timecode or "", facts.rate, facts.drop_frame)
    except TimecodeError:
        return True
    return count == 0 and sound.time_reference == 0


def _timed(facts: ClipFacts, claps: Sequence[Clap], found: list[_Candidate]) -> Match:
    found = sorted(
        found, key=lambda one: (not one.agrees, -one.covered, -one.link.confidence, one.recording.name)
    )
    best = found[0]
    rivals = [
        one
        for one in found[1:]
        if one.agrees == best.agrees and one.covered > 0 and not _same_take(one.recording, best.recording)
    ]
    doubt = _doubt(facts, claps, best)
    if rivals:
        doubt = f"{_names(rivals)} cover{'s' if len(rivals) == 1 else ''} this timecode too"
    reason = "; ".join(part for part in (_why(best), doubt) if part)
    return Match(Certainty.LOOK if doubt else Certainty.SURE, reason, best.recording, best.link)


def _why(best: _Candidate) -> str:
    if best.agrees:
        heard = "the clap is" if best.link.heard == 1 else f"{best.link.heard} claps are"
        return f"timecode and sound agree: {heard} heard where timecode says"
    return "timecode alone says so" if best.link.how == "timecode" else ""


def _doubt(facts: ClipFacts, claps: Sequence[Clap], best: _Candidate) -> str:
    """Why a person should look at a recording that overlaps by timecode; empty if nothing is doubtful."""
    if best.agrees:
        return ""
    if best.link.disagreement_ms is not None:
        frames = best.link.disagreement_ms / 1000 * float(facts.rate)
        way = "after" if frames > 0 else "before"
        return f"a clap is heard {abs(frames):.1f} frames {way} where timecode has it"
    if not counts_alike(facts, best.recording.sound):
        return "camera and recorder count timecode at different rates"
    if claps:
        return f"{'the clap is' if len(claps) == 1 else 'the claps are'} not heard there"
    if best.covered < 1:
        return "the file covers only a part of the clip"
    return ""


def _same_take(one: Recording, other: Recording) -> bool:
    """Whether two files are tracks of one recording: recorders may write a file for each."""

    def span(sound: SoundFile) -> tuple[Fraction, Fraction]:
        return Fraction(sound.time_reference or 0, sound.sample_rate), sound.duration

    return span(one.sound) == span(other.sound)


def _by_claps(facts: ClipFacts, claps: Sequence[Clap], recordings: Sequence[Recording]) -> Match:
    timecode_denies = _denies(facts, recordings)
    if not claps:
        why = timecode_denies or "no timecode says where, and the clip has no clap"
        return Match(Certainty.NO_MATCH, why)
    linked = [(one, link_by_claps(facts, claps, one.sound, one.heard)) for one in recordings]
    found = [_Candidate(recording, link) for recording, link in linked if link is not None]
    if timecode_denies:  # one loud sound somewhere does not outweigh that
        found = [one for one in found if one.link.heard > 1]
    if not found:
        return Match(Certainty.NO_MATCH, timecode_denies or _unheard(claps, recordings))
    return _heard(claps, found, timecode_denies)


def _heard(claps: Sequence[Clap], found: list[_Candidate], timecode_denies: str) -> Match:
    found = sorted(found, key=lambda one: (-one.link.heard, -one.link.confidence, one.recording.name))
    best = found[0]
    least = CLEARLY_BEST * best.link.confidence
    rivals = [one for one in found[1:] if one.link.confidence > least]
    if rivals:
        return Match(Certainty.LOOK, f"{_names([best, *rivals])} fit as well as each other")
    if best.link.heard == 1:
        reason = "one clap is heard in both, and no timecode says more"
        return Match(Certainty.LOOK, reason, best.recording, best.link)
    reason = f"{best.link.heard} claps are heard in both, equally far apart"
    if best.link.heard < len(claps):
        reason += f"; {len(claps) - best.link.heard} more of the clip are not"
    reason += f"; {timecode_denies}" if timecode_denies else ""
    certain = best.link.heard == len(claps) and not timecode_denies
    return Match(Certainty.SURE if certain else Certainty.LOOK, reason, best.recording, best.link)


def _denies(facts: ClipFacts, recordings: Sequence[Recording]) -> str:
    """What to say where timecodes are set on both sides and meet in no file; empty where they are not."""
    for one in recordings:
        if offset_by_timecode(facts, one.sound) is None or _nobody_set(facts, one.sound):
            return ""
    return f"no sound file covers its timecode, {facts.start_timecode}"


def _unheard(claps: Sequence[Clap], recordings: Sequence[Recording]) -> str:
    if not any(one.heard for one in recordings):
        return "no clap is heard in a sound file"
    return (
        "several sounds in the sound files could be the clap"
        if len(claps) == 1
        else "no sounds fit the claps"
    )


def _names(candidates: Sequence[_Candidate]) -> str:
    names = [one.recording.name for one in candidates]
    if len(names) > NAMED:
        return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
