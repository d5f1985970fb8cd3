"""What a sudden sound is like, and the sample at which it begins. Pure.

A logistic regression over six measures of rise, decay and spectrum says how much it is like a clap of slate
sticks; benchmarks/transients.py measures it on rendered sound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: A candidate's energy is this many times that of the 30 ms before it, and the highest within NEAR hops.
RISE = 6.0
NEAR = 25
#: Mean square below which nothing is heard: -96 dB, the last bit of 16.
FAINTEST = 10**-9.6
#: Lossy sound has a faint echo of a clap some milliseconds BEFORE it: below this part of the peak's power.
ECHO = 0.05
#: What has not died down by this (dB) within 170 ms is no clap, whatever else it is.
LASTING = 8.0


def candidates(energy: Floats, first: int, until: int) -> Iterator[int]:
    """Hops from `first` to before `until` where energy rises at once."""
    total = np.concatenate([[0.0], np.cumsum(energy)])
    hops = np.arange(max(first, 10), min(until, len(energy) - 5))
    if not len(hops):
        return
    after = (total[hops + 5] - total[hops]) / 5
    low = np.maximum(hops - 30, 0)
    before = (total[hops - 1] - total[low]) / (hops - 1 - low)
    rise = np.where(after > FAINTEST, after / (before + FAINTEST), 0.0)
    for i in map(int, np.flatnonzero(rise >= RISE)):
        near = rise[max(0, i - NEAR) : i + NEAR + 1]
        if i == max(0, i - NEAR) + np.argmax(near):
            yield int(hops[i])


@dataclass(frozen=True, slots=True)
class Measures:
    """Of a candidate: its onset, an index into the samples held, and what makes it like a clap (in dB)."""

    onset: int
    rise: float  # over the 30 ms before
    stands_out: float  # over the loudest 5 ms of the 400 ms before
    dies: float  # at its quietest within 60 to 170 ms
    high: float  # the part of the energy above CORNER
    flat: float  # of the spectrum above CORNER: wide noise or a few tones
    attack: float  # ms from the onset to the loudest millisecond

    @property
    def confidence(self) -> float:
        if self.dies < LASTING:
            return 0.0
        told = np.clip([self.rise, self.stands_out, self.dies, self.high, self.flat, self.attack], *_BOUNDS)
        return float(1 / (1 + np.exp(-(_WEIGHTS @ told + _OFFSET))))


#: The least and most that each measure counts, its weight, and what the sum starts from.
_BOUNDS = np.array([[0, -10, 0, -20, -10, 0], [45, 30, 40, 0, -2, 15]], float)
_WEIGHTS = np.array([0.174, 0.075, 0.128, 0.077, 0.603, -0.267])
_OFFSET = -4.14


def measure(high: Floats, full: Floats, hop: int, size: int) -> Measures | None:
    """Measure the candidate at a hop of one channel; None where there is too little before it."""
    onset = find_onset(high, hop * size, size)
    if onset < 8 * size:
        return None
    peak = _level(high, onset, onset + 5 * size)
    hops = np.arange(max(0, onset - 400 * size), onset - 5 * size, 5 * size)
    loudest = max((_level(high, int(at), int(at) + 5 * size) for at in hops), default=peak)
    shape = [_level(high, onset + n * size, onset + (n + 1) * size) for n in range(20)]
    return Measures(
        onset=onset,
        rise=peak - _level(high, max(0, onset - 30 * size), onset - size),
        stands_out=peak - loudest,
        dies=peak - min(_level(high, onset + n * size, onset + (n + 20) * size) for n in range(60, 160, 10)),
        high=_level(high, onset, onset + 10 * size) - _level(full, onset, onset + 10 * size),
        flat=_flatness(high[onset : onset + 8 * size], size),
        attack=float(np.argmax(shape)),
    )


def find_onset(high: Floats, about: int, size: int) -> int:
    """The sample at which the sound begins, within some milliseconds of `about`.

    The split into a quiet and a loud part under which both are most like noise of one level (Akaike).
    """
    start = max(0, about - 12 * size)
    rising = high[start : about + 8 * size]
    loudest = int(np.argmax(np.abs(rising)))
    part = rising[: loudest + 1 + size]
    n = len(part)
    if n < 8:
        return about
    squares = np.cumsum(part * part)
    split = np.arange(2, n - 2)
    quiet = squares[split - 1] / split
    loud = (squares[-1] - squares[split - 1]) / (n - split)
    hidden = ECHO * float(np.max(part * part)) + FAINTEST
    doubt = split * np.log(quiet + hidden) + (n - split) * np.log(loud + hidden)
    return start + int(split[int(np.argmin(doubt))])


def _level(samples: Floats, first: int, last: int) -> float:
    """Mean square in dB, of nothing the faintest."""
    part = samples[max(0, first) : last]
    power = float(part @ part) / len(part) if len(part) else 0.0
    return 10 * float(np.log10(power + FAINTEST))


def _flatness(part: Floats, size: int) -> float:
    """Geometric over arithmetic mean of the power from 2 to 12 kHz, in dB: 0 is white noise."""
    if len(part) < 8:
        return 0.0
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)))) ** 2 + 1e-20
    width = 1000 * size / len(part)  # of a bin, in Hz
    band = power[int(2000 / width) : max(int(2000 / width) + 4, int(12000 / width))]
    if not len(band):
        return 0.0
    return 10 * float(np.mean(np.log10(band)) - np.log10(np.mean(band)))
