"""Clip and detector -> claps. `python -m training.scan --serve` answers requests: docs/scan-json.md."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from training.claps import Reading, Sighting, Verdict, read_claps
from training.footage import ClipFacts, Footage
from training.search import Detector, FrameDetections, Progress, Search
from training.tracks import follow

__all__ = ["Detector", "FrameDetections", "Progress", "ScanResult", "scan"]

#: Pictures are looked at with no side over this.
LONGEST_SIDE = 640


@dataclass(frozen=True, slots=True)
class ScanResult:
    """`detections`: every frame that was looked at. `sightings`: the followed slate in the same frames."""

    facts: ClipFacts
    reading: Reading
    sightings: tuple[Sighting, ...]
    detections: tuple[FrameDetections, ...]


def scan(path: Path, detector: Detector, *, on_progress: Callable[[Progress], None]) -> ScanResult:
    """Find the claps of a clip. Raises FootageError. The same clip and detector give the same result."""
    with Footage(path, longest_side=LONGEST_SIDE) as footage:
        search = Search(footage, detector, on_progress)
        search.run()
        facts = replace(footage.facts, warnings=footage.warnings)
    looks = [search.looks[frame] for frame in sorted(search.looks)]
    followed = follow([(look.frame, look.detections) for look in looks], rate=facts.rate)
    reading = read_claps(followed.sightings, rate=facts.rate)
    if followed.rival is not None:
        reading = _with_rival(reading, followed.rival)
    return ScanResult(facts, reading, followed.sightings, tuple(looks))


def _with_rival(reading: Reading, frame: int) -> Reading:
    verdict = Verdict.LOOK if reading.verdict in (Verdict.SURE, Verdict.MOS) else reading.verdict
    reason = (
        f"{reading.reason}; a second slate is in the picture from frame {frame}, the clearer one was followed"
    )
    return Reading(reading.claps, verdict, reason)


if __name__ == "__main__":
    from training.serving import main

    sys.exit(main())
