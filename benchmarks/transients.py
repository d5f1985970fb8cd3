"""How well claps are heard, in rendered sound unseen in fitting: python benchmarks/transients.py [TRACKS]

Each track is 20 s with two claps. `quiet`: room tone and murmur. `busy`: people talk, walk, slam doors
and drop keys; the clap is duller, with echoes, and up to 12 dB less. `soft`: claps 20 dB below that. Each as
PCM and as AAC of 128 kbit/s, at 48, 44.1 and 96 kHz in turn.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np

from training.footage.listening import planes
from training.render.sound import Sound
from training.sound.blocks import SoundBlock
from training.sound.transients import Transient, find_transients

RESULT = Path(__file__).parent / "results" / "transients.json"
SECONDS = 20
FIRST_SEED = 700_000
NEAR = Fraction(1, 50)  # a transient this near to a clap is the clap
LEVELS = (0.1, 0.3, 0.5, 0.8, 0.9)
BINS = (0.0, 0.1, 0.3, 0.6, 0.9, 1.01)
KINDS: dict[str, dict[str, bool]] = {
    "quiet": {},
    "quiet, soft": {"soft": True},
    "busy": {"busy": True},
    "busy, soft": {"busy": True, "soft": True},
}


def track(kind: str, number: int) -> Sound:
    rate = (48_000, 44_100, 96_000)[number % 3]
    rng = np.random.default_rng([FIRST_SEED, number])
    claps = tuple(int(at * rate) for at in (rng.uniform(1, 9), rng.uniform(11, 19)))
    return Sound(claps, FIRST_SEED + number, rate, **KINDS[kind])


def through_aac(samples: np.ndarray, rate: int) -> np.ndarray:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as sink:
        stream = sink.add_stream("aac", rate=rate, layout="mono")
        stream.bit_rate = 128_000
        for at in range(0, samples.shape[1] - 1023, 1024):
            part = np.ascontiguousarray(samples[:, at : at + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
            sink.mux(stream.encode(frame))
        sink.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as source:
        return np.concatenate([planes(frame) for frame in source.decode(audio=0)], axis=1)


def measure(kind: str, tracks: int, aac: bool) -> dict[str, object]:
    claps: list[tuple[float, float, int]] = []  # confidence, error in ms, rank among the track's transients
    others: list[float] = []
    spent = 0.0
    for number in range(tracks):
        sound = track(kind, number)
        samples = np.concatenate([sound.second(n) for n in range(SECONDS)])[None]
        samples = through_aac(samples, sound.sample_rate) if aac else samples
        started = time.process_time()
        found = find_transients([SoundBlock(0, sound.sample_rate, 0, samples)]).transients
        spent += time.process_time() - started
        claps += [_heard(clap, found, sound.sample_rate) for clap in sound.claps]
        others += _others(found, sound)
    return _summed(claps, others, tracks) | {"cpu_seconds_per_hour": round(180 * spent / tracks, 1)}


def _heard(clap: int, found: tuple[Transient, ...], rate: int) -> tuple[float, float, int]:
    at = Fraction(clap, rate)
    near = [one for one in found if abs(one.seconds - at) < NEAR]
    if not near:
        return 0.0, float("nan"), len(found)
    best = max(near, key=lambda one: one.confidence)
    rank = sum(one.confidence > best.confidence for one in found)
    return best.confidence, 1000 * float(best.seconds - at), rank


def _others(found: tuple[Transient, ...], sound: Sound) -> Iterator[float]:
    for one in found:
        if all(abs(one.seconds - Fraction(clap, sound.sample_rate)) >= NEAR for clap in sound.claps):
            yield one.confidence


def _summed(claps: list[tuple[float, float, int]], others: list[float], tracks: int) -> dict[str, object]:
    confidences = np.array([one[0] for one in claps])
    errors = np.abs([one[1] for one in claps if one[0] > 0])
    minutes = tracks * SECONDS / 60
    told = np.array(others)
    return {
        "claps": len(claps),
        "recall": {str(level): round(float(np.mean(confidences >= level)), 3) for level in LEVELS},
        "recall_top_2": round(float(np.mean([rank < 2 and sure > 0 for sure, _, rank in claps])), 3),
        "false_per_minute": {
            str(level): round(float((told >= level).sum() / minutes), 2) for level in LEVELS
        },
        "onset_error_ms": {
            name: round(float(np.percentile(errors, part)), 3)
            for name, part in (("median", 50), ("p95", 95), ("most", 100))
        },
        "part_that_are_claps": {
            f"{low} to {min(high, 1)}": _part(confidences, told, low, high) for low, high in pairwise(BINS)
        },
    }


def _part(claps: np.ndarray, others: np.ndarray, low: float, high: float) -> str:
    right = int(((claps >= max(low, 1e-9)) & (claps < high)).sum())
    wrong = int(((others >= low) & (others < high)).sum())
    return f"{right} of {right + wrong}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tracks", nargs="?", type=int, default=60)
    tracks = parser.parse_args().tracks
    result = {
        f"{kind}, {'aac' if aac else 'pcm'}": measure(kind, tracks, aac)
        for kind in KINDS
        for aac in (False, True)
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"tracks_each": tracks, "seconds": SECONDS, **result}, indent=1) + "\n")
    print(RESULT.read_text())


if __name__ == "__main__":
    main()
