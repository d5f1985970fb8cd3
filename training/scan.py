"""Clip and detector -> claps. `python -m training.scan --serve` answers requests: docs/scan-json.md."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from training.claps.claps import Reading, Sighting, Verdict, read_claps
from training.claps.fusion import Frames, fuse
from training.claps.tracks import follow
from training.footage.footage import ClipFacts, Footage, FootageError
from training.search import TOTAL, Detector, FrameDetections, Progress, Search
from training.sound.blocks import SoundBlock
from training.sound.transients import Hearing, Transient, find_transients

__all__ = ["Detector", "FrameDetections", "Progress", "ScanResult", "scan"]

#: Pictures are looked at with no side over this.
LONGEST_SIDE = 640
#: Of the progress, the pictures of a clip with sound get this part.
PICTURE_SHARE = 950


@dataclass(frozen=True, slots=True)
class ScanResult:
    """`detections`: every frame that was looked at. `sightings`: the followed slate in the same frames.

    `hearing`: all that was heard. `heard` (claps that no picture shows), `av_offset_ms`: see claps.fusion.
    """

    facts: ClipFacts
    reading: Reading
    sightings: tuple[Sighting, ...]
    detections: tuple[FrameDetections, ...]
    hearing: Hearing = field(default_factory=Hearing)
    heard: tuple[Transient, ...] = ()
    av_offset_ms: float | None = None


def scan(path: Path, detector: Detector, *, on_progress: Callable[[Progress], None]) -> ScanResult:
    """Find the claps of a clip. Raises FootageError. The same clip and detector give the same result."""
    with Footage(path, longest_side=LONGEST_SIDE) as footage:
        share = PICTURE_SHARE if footage.facts.audio else TOTAL
        search = Search(footage, detector, lambda made: on_progress(_part_of(made, share)))
        search.run()
        hearing, complaints = _listen(footage, on_progress)
        facts = replace(footage.facts, warnings=(*footage.warnings, *complaints))
    looks = [search.looks[frame] for frame in sorted(search.looks)]
    followed = follow([(look.frame, look.detections) for look in looks], rate=facts.rate)
    reading = read_claps(followed.sightings, rate=facts.rate)
    if followed.rival is not None:
        reading = _with_rival(reading, followed.rival)
    frames = Frames({look.frame: look.seconds for look in looks}, facts.rate, facts.frames - 1)
    fused = fuse(reading, hearing, followed.sightings, frames)
    return ScanResult(
        facts,
        fused.reading,
        followed.sightings,
        tuple(looks),
        hearing=hearing,
        heard=fused.heard,
        av_offset_ms=fused.av_offset_ms,
    )


def _part_of(made: Progress, share: int) -> Progress:
    return replace(made, done=made.done * share // made.total)


def _listen(footage: Footage, on_progress: Callable[[Progress], None]) -> tuple[Hearing, list[str]]:
    """What is heard, and complaints in plain sentences. Sound that cannot be read fails no scan."""
    if not footage.facts.audio:
        return Hearing(), []
    duration = max(1.0, float(footage.facts.duration))

    def blocks() -> Iterator[SoundBlock]:
        done = PICTURE_SHARE
        for block in footage.sound():
            done = max(
                done, PICTURE_SHARE + int((TOTAL - 1 - PICTURE_SHARE) * min(1.0, block.seconds / duration))
            )
            on_progress(Progress(done, TOTAL, "sound"))
            yield block

    try:
        hearing = find_transients(blocks())
    except FootageError as error:
        return Hearing(), [f"The sound could not be listened to: {error}"]
    on_progress(Progress(TOTAL, TOTAL, "sound"))
    return hearing, [] if hearing.audible else ["The clip's sound is silent."]


def _with_rival(reading: Reading, frame: int) -> Reading:
    verdict = Verdict.LOOK if reading.verdict in (Verdict.SURE, Verdict.MOS) else reading.verdict
    reason = (
        f"{reading.reason}; a second slate is in the picture from frame {frame}, the clearer one was followed"
    )
    return Reading(reading.claps, verdict, reason)


if __name__ == "__main__":
    from training.serving import main

    sys.exit(main())
