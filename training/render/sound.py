"""The sound of a take: room tone, something like speech, and the clap at its exact sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfilt

from training.render.geometry import Floats
from training.render.noises import noises_in

SAMPLE_RATE = 48000
#: How loud soft sticks are beside an ordinary clap: 20 dB less.
SOFT = 0.1


@dataclass(frozen=True)
class Sound:
    """A mono sound track that is made a second at a time; claps are sample numbers.

    `soft` claps are quiet ones, as beside an actor's face; `busy` is a set on which people talk and move.
    """

    claps: tuple[int, ...]
    seed: int
    sample_rate: int = SAMPLE_RATE
    soft: bool = False
    busy: bool = False

    def second(self, number: int) -> Floats:
        """One second of samples, -1 to 1, float32."""
        rng = np.random.default_rng([self.seed, number])
        hiss = rng.standard_normal(self.sample_rate) * 0.004
        samples = hiss + _murmur(rng, self.sample_rate)
        start = number * self.sample_rate
        for earlier in range(max(0, number - 1), number + 1) if self.busy else ():
            for at, noise in noises_in(earlier, self.seed, self.sample_rate):
                _add(samples, noise, (earlier - number) * self.sample_rate + at)
        for clap in self.claps:
            sound = _transient(self.seed + clap, self.sample_rate)
            if self.busy:
                sound = _in_a_room(sound, self.seed + clap, self.sample_rate)
            _add(samples, sound * (SOFT if self.soft else 1.0), clap - start)
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


def _in_a_room(clap: Floats, seed: int, rate: int) -> Floats:
    """As a microphone some metres away hears it: with the wood's own tone, duller, with first echoes."""
    rng = np.random.default_rng([seed, 78])
    time = np.arange(clap.size) / rate
    body = np.sin(2 * np.pi * float(rng.uniform(400, 1500)) * time) * np.exp(-time / 0.01)
    pitch = 2 * float(rng.uniform(1000, 4000)) / rate
    tone = sosfilt(_band(pitch / 1.4, min(pitch * 1.4, 0.9)), clap)
    wood = clap + float(rng.uniform(0, 2)) * tone + float(rng.uniform(0, 0.6)) * np.abs(clap).max() * body
    dull = sosfilt(butter(2, min(float(rng.uniform(3000, 16000)), 0.45 * rate), output="sos", fs=rate), wood)
    heard = dull / np.abs(dull).max() * np.abs(clap).max()
    for _ in range(int(rng.integers(0, 5))):
        late = int(float(rng.uniform(0.004, 0.045)) * rate)
        heard[late:] += float(rng.uniform(0.1, 0.5)) * heard[:-late]
    return np.asarray(heard * float(rng.uniform(0.25, 1.0)))


def _add(samples: Floats, sound: Floats, at: int) -> None:
    low, high = max(0, at), min(len(samples), at + len(sound))
    if low < high:
        samples[low:high] += sound[low - at : high - at]


def clap_samples(contacts: Sequence[float], sample_rate: int = SAMPLE_RATE) -> tuple[int, ...]:
    return tuple(round(contact * sample_rate) for contact in contacts)
