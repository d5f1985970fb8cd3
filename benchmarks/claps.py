"""How often the clap is found, on rendered clips unseen in training: python benchmarks/claps.py [--clips 200]

All kinds and rates in turn, each clip with its own board, scene and sound. Three readings of the same scan:
the picture alone, the sound alone (its surest transient is taken for the clap), and both fused, which is what
people get. `--backgrounds` puts photographs of your own behind the slates. A report is written after every
clip, so a broken run keeps what it measured; with `--keep DIR` the scans are kept there too, and a later run
reads them again instead of rendering and scanning (delete them when the checkpoint or the search changes).
`--microphone 0.03` moves each clip's sound later by up to 30 ms, as ten metres to the microphone do.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from training.claps.claps import Reading, Verdict, read_claps
from training.claps.fusion import Frames, fuse
from training.inference import Detector, load_detector
from training.render.clips import ClipSpec, ClipTruth, render_clip
from training.render.motion import KINDS
from training.render.scenes import Backgrounds
from training.scan import ScanResult, scan
from training.sound.transients import Hearing

RESULT = Path(__file__).parent / "results" / "claps.json"
RATES = [Fraction(24000, 1001), Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30)]
RATES += [Fraction(48), Fraction(50), Fraction(60000, 1001)]
FIRST_SEED = 900_000  # training uses seeds below 1000


class Tally:
    """Claps that were there, found and made up; one for each way of reading."""

    def __init__(self) -> None:
        self.truth = self.exact = self.near = self.false = self.sure = self.sure_wrong = 0

    def add(self, truth: Sequence[int], found: Sequence[int], *, sure: bool) -> None:
        self.truth += len(truth)
        self.exact += sum(frame in found for frame in truth)
        self.near += sum(any(abs(frame - other) <= 1 for other in found) for frame in truth)
        made_up = sum(all(abs(frame - other) > 1 for other in truth) for frame in found)
        self.false += made_up
        if sure:
            missed = any(frame not in found for frame in truth)
            self.sure += 1
            self.sure_wrong += bool(made_up or missed)

    def report(self, seconds: float) -> dict[str, float]:
        return {
            "claps": self.truth,
            "hit_0": round(self.exact / max(1, self.truth), 4),
            "hit_1": round(self.near / max(1, self.truth), 4),
            "false_per_hour": round(self.false / seconds * 3600, 2),
            "clips_sure": self.sure,
            "clips_sure_but_wrong": self.sure_wrong,
        }


def spec_of(number: int) -> ClipSpec:
    """Kinds change fastest and rates after them, so that any run covers most pairs."""
    kind = KINDS[number % len(KINDS)]
    rate = RATES[(number // len(KINDS) + number) % len(RATES)]
    return ClipSpec(
        kind=kind, rate=rate, seconds=7.0, seed=FIRST_SEED + number, clean=False, busy=bool(number % 2)
    )


def loudest(result: ScanResult) -> list[int]:
    """The first frame that shows sticks closed which met when the surest transient is heard."""
    best = max(result.hearing.transients, key=lambda transient: transient.confidence, default=None)
    if best is None:
        return []
    return [Frames({}, result.facts.rate, result.facts.frames - 1).closed_by(best.seconds)]


def milliseconds_off(reading: Reading, truth: ClipTruth) -> list[float]:
    """The error of each clap that has a time in the sound."""
    placed = [clap for clap in reading.claps if clap.sample is not None and clap.sample_rate]
    times = [sample / truth.sample_rate for sample in truth.clap_samples]
    return [
        min(abs(clap.sample / clap.sample_rate - time) for time in times) * 1000 for clap in placed if times
    ]


class Scans:
    """Renders and scans clip by clip, or takes what an earlier run kept."""

    def __init__(self, detector: Detector, folder: Path, backgrounds: Path | None) -> None:
        self._detector, self._folder = detector, folder
        self._photographs = Backgrounds(backgrounds) if backgrounds else None

    def of(self, number: int) -> tuple[ClipSpec, ClipTruth, ScanResult]:
        kept = self._folder / f"{number:03}.pickle"
        if not kept.exists():
            spec, clip = spec_of(number), self._folder / "clip.mov"
            truth = render_clip(spec, clip, backgrounds=self._photographs)
            found = spec, truth, scan(clip, self._detector, on_progress=lambda _: None)
            unfinished = kept.with_suffix(".part")
            unfinished.write_bytes(pickle.dumps(found))
            unfinished.rename(kept)
        return pickle.loads(kept.read_bytes())  # noqa: S301 - written by ourselves


def heard_later(result: ScanResult, seconds: float) -> Hearing:
    """The clip's sound as a microphone further away hears it."""
    moved = [
        replace(one, sample=one.sample + round(seconds * one.sample_rate))
        for one in result.hearing.transients
    ]
    return replace(result.hearing, transients=tuple(moved))


def read(result: ScanResult, hearing: Hearing) -> Reading:
    """What the scan says with this sound."""
    times = {look.frame: look.seconds for look in result.detections}
    frames = Frames(times, result.facts.rate, result.facts.frames - 1)
    return fuse(
        read_claps(result.sightings, rate=result.facts.rate), hearing, result.sightings, frames
    ).reading


def measure(detector: Detector, scans: Scans, *, clips: int, microphone: float) -> None:
    tallies = {"picture": Tally(), "sound": Tally(), "fused": Tally()}
    verdicts: Counter[str] = Counter()
    misses: list[dict[str, Any]] = []
    errors: list[float] = []
    seconds = 0.0
    distance = random.Random(1)
    for number in range(clips):
        spec, truth, result = scans.of(number)
        picture = read(result, Hearing((), peak=0.0, spans=()))
        fused = read(result, heard_later(result, distance.uniform(0, microphone)))
        for name, reading in (("picture", picture), ("fused", fused)):
            found = [clap.frame for clap in reading.claps]
            tallies[name].add(truth.claps, found, sure=reading.verdict is Verdict.SURE)
        tallies["sound"].add(truth.claps, loudest(result), sure=False)
        verdicts[f"{spec.kind}: {fused.verdict}"] += 1
        errors += milliseconds_off(fused, truth)
        if truth.claps != [clap.frame for clap in fused.claps]:
            found = [clap.frame for clap in fused.claps]
            misses.append({"seed": spec.seed, "kind": spec.kind, "truth": truth.claps, "found": found,
                           "verdict": str(fused.verdict), "reason": fused.reason})  # fmt: skip
        seconds += float(result.facts.duration)
        if not microphone:
            write(number + 1, detector, tallies, verdicts, errors, misses, seconds)
    if microphone:
        print(json.dumps({name: tally.report(seconds) for name, tally in tallies.items()}, indent=2))


def write(
    clips: int,
    detector: Detector,
    tallies: dict[str, Tally],
    verdicts: Counter[str],
    errors: list[float],
    misses: list[dict[str, Any]],
    seconds: float,
) -> None:
    report = {
        "clips": clips,
        "checkpoint": detector.sha256,
        "readings": {name: tally.report(seconds) for name, tally in tallies.items()},
        "sub_frame_error_ms": {"claps": len(errors), "median": round(statistics.median(errors), 3)}
        if errors
        else None,
        "verdicts": dict(sorted(verdicts.items())),
        "not_exact": misses,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--backgrounds", type=Path, help="a folder of photographs without slates")
    parser.add_argument("--threads", type=int, help="torch threads (all cores)")
    parser.add_argument("--keep", type=Path, help="a folder to keep the scans in, and to take them from")
    parser.add_argument("--microphone", type=float, default=0.0, help="seconds; prints, and writes no result")
    options = parser.parse_args()
    detector = load_detector(threads=options.threads)
    with tempfile.TemporaryDirectory() as folder:
        kept = options.keep or Path(folder)
        kept.mkdir(parents=True, exist_ok=True)
        scans = Scans(detector, kept, options.backgrounds)
        measure(detector, scans, clips=options.clips, microphone=options.microphone)
    if not options.microphone:
        print(RESULT.read_text())


if __name__ == "__main__":
    main()
