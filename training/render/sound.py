"""The sound of a take: room tone, something like speech, and the clap at its exact sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from training.render.geometry import Floats

SAMPLE_RATE = 48000


@dataclass(frozen=True)
class Sound:
    """A mono sound track that is made a second at a time; claps are sample numbers."""

    claps: tuple[int, ...]
    seed: int
    sample_rate: int = SAMPLE_RATE

    def second(self, number: int) -> Floats:
        """One second of samples, -1 to 1, float32."""
        rng = np.random.default_rng([self.seed, number])
        hiss = rng.standard_normal(self.sample_rate) * 0.004
        samples = hiss + _murmur(rng, self.sample_rate)
        start = number * self.sample_rate
        for clap in self.claps:
            _add(samples, _transient(self.seed + clap, self.sample_rate), clap - start)
        return np.clip(samples, -1, 1).astype(np.float32)


def _murmur(rng: np.random.Generator, rate: int) -> Floats:
    """Noise in the band of a voice, in syllables, silent at the joints between seconds."""
    low, high = float(rng.uniform(0.004, 0.008)), float(rng.uniform(0.05, 0.1))
    sos = _band(low, high)
    voice = sosfilt(sos, rng.standard_normal(rate))
    time = np.arange(rate) / rate
    syllables = np.clip(np.sin(2 * np.pi * (rng.uniform(2.5, 5) * time + rng.random())), 0, 1) ** 2
    return np.asarray(voice * syllables * np.sin(np.pi * time) * float(rng.uniform(0, 0.12)))


def _band(low: float, high: float) -> Floats:
    return np.asarray(butter(2, [low, high], "bandpass", output="sos"))


def _transient(seed: int, rate: int) -> Floats:
    """A clap: wide noise that starts at once and dies in tens of milliseconds, and the room after it."""
    rng = np.random.default_rng([seed, 77])
    time = np.arange(rate // 2) / rate
    burst = rng.standard_normal(time.size) * np.exp(-time / float(rng.uniform(0.008, 0.025)))
    room = rng.standard_normal(time.size) * np.exp(-time / float(rng.uniform(0.06, 0.18))) * 0.08
    clap = burst + room
    clap[0] = np.sign(clap[0]) * np.abs(burst).max()
    return np.asarray(clap / np.abs(clap).max() * float(rng.uniform(0.5, 0.9)))


def _add(samples: Floats, sound: Floats, at: int) -> None:
    low, high = max(0, at), min(len(samples), at + len(sound))
    if low < high:
        samples[low:high] += sound[low - at : high - at]


def clap_samples(contacts: Sequence[float], sample_rate: int = SAMPLE_RATE) -> tuple[int, ...]:
    return tuple(round(contact * sample_rate) for contact in contacts)
