"""What else is heard on a set: talk, doors, steps, knocks, keys, bumps of the microphone. No claps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import butter, sosfilt

from training.render.geometry import Floats

Rng = np.random.Generator
Noise = Callable[[Rng, int], Floats]


def noises_in(second: int, seed: int, rate: int) -> list[tuple[int, Floats]]:
    """The noises that start in a second of sound: (sample within it, samples), of every kind now and then."""
    rng = np.random.default_rng([seed, second, 31])
    chosen = [make for make, odds in _NOISES.items() if rng.random() < odds]
    return [(int(rng.integers(rate)), make(rng, rate)) for make in chosen]


def _speech(rng: Rng, rate: int) -> Floats:
    """A word: voiced syllables, hisses between them and the small bursts of p, t and k."""
    parts: list[Floats] = []
    for _ in range(int(rng.integers(2, 5))):
        sound = (_vowel, _hiss, _burst)[int(rng.choice(3, p=[0.5, 0.25, 0.25]))]
        parts.append(sound(rng, rate))
    return np.concatenate(parts) * float(rng.uniform(0.05, 0.3))


def _vowel(rng: Rng, rate: int) -> Floats:
    time = _time(float(rng.uniform(0.1, 0.25)), rate)
    pitch = float(rng.uniform(90, 240)) * (1 + 0.1 * np.sin(2 * np.pi * 3 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    tone = sum(np.sin(n * phase) / n**1.2 for n in range(1, 25))
    return _faded(np.asarray(tone) / 3, rate, float(rng.uniform(0.015, 0.05)))


def _hiss(rng: Rng, rate: int) -> Floats:
    noise = _band(rng.standard_normal(int(rng.uniform(0.06, 0.15) * rate)), 3500, 9000, rate)
    return _faded(noise * 0.6, rate, float(rng.uniform(0.01, 0.04)))


def _burst(rng: Rng, rate: int) -> Floats:
    time = _time(0.05, rate)
    low = float(rng.uniform(500, 2500))
    noise = _band(rng.standard_normal(time.size), low, low * 3, rate)
    return noise * np.exp(-time / float(rng.uniform(0.006, 0.02))) * np.clip(time / 0.002, 0, 1) * 0.7


def _door(rng: Rng, rate: int) -> Floats:
    """A thump below 200 Hz with some wood above it."""
    time = _time(0.6, rate)
    thump = np.sin(2 * np.pi * float(rng.uniform(50, 150)) * time) * np.exp(-time / 0.08)
    wood = _band(rng.standard_normal(time.size), 250, float(rng.uniform(900, 2500)), rate)
    both = thump + 0.8 * wood * np.exp(-time / float(rng.uniform(0.03, 0.09)))
    return both * np.clip(time / 0.003, 0, 1) * float(rng.uniform(0.2, 0.8))


def _knock(rng: Rng, rate: int) -> Floats:
    time = _time(0.15, rate)
    tones = [np.sin(2 * np.pi * float(f) * time) for f in rng.uniform(200, 1100, 3)]
    once = np.sum(tones, axis=0) * np.exp(-time / float(rng.uniform(0.012, 0.03)))
    return np.tile(once * np.clip(time / 0.001, 0, 1), 3) * float(rng.uniform(0.05, 0.2))


def _step(rng: Rng, rate: int) -> Floats:
    time = _time(0.2, rate)
    noise = _band(rng.standard_normal(time.size), 80, float(rng.uniform(600, 3000)), rate)
    return noise * np.exp(-time / 0.03) * np.clip(time / 0.006, 0, 1) * float(rng.uniform(0.05, 0.3))


def _keys(rng: Rng, rate: int) -> Floats:
    """Metal: a few high tones that ring."""
    time = _time(0.4, rate)
    tones = [np.sin(2 * np.pi * float(f) * time) for f in rng.uniform(3000, min(12000, rate * 0.4), 4)]
    ringing = np.exp(-time / float(rng.uniform(0.03, 0.1))) * float(rng.uniform(0.01, 0.06))
    return np.asarray(np.sum(tones, axis=0) * ringing)


def _bump(rng: Rng, rate: int) -> Floats:
    time = _time(0.3, rate)
    return np.sin(2 * np.pi * float(rng.uniform(20, 70)) * time) * np.exp(-time / 0.05) * 0.8


def _rustle(rng: Rng, rate: int) -> Floats:
    noise = _band(rng.standard_normal(int(rng.uniform(0.2, 0.6) * rate)), 2000, 9000, rate)
    return _faded(noise * float(rng.uniform(0.03, 0.15)), rate, 0.06)


_NOISES: dict[Noise, float] = {
    _speech: 0.7,
    _door: 0.08,
    _knock: 0.06,
    _step: 0.3,
    _keys: 0.08,
    _bump: 0.08,
    _rustle: 0.12,
}


def _time(seconds: float, rate: int) -> Floats:
    return np.arange(int(seconds * rate)) / rate


def _faded(sound: Floats, rate: int, seconds: float) -> Floats:
    edge = np.clip(np.arange(len(sound)) / (seconds * rate), 0, 1)
    return np.asarray(sound * edge * edge[::-1])


def _band(noise: Floats, low: float, high: float, rate: int) -> Floats:
    sos = butter(2, [low, min(high, 0.45 * rate)], "bandpass", output="sos", fs=rate)
    return np.asarray(sosfilt(sos, noise))
