"""Claps in sound: sudden, wide and short. Pure numpy and scipy; memory stays flat for any length.

A candidate is where the energy above CORNER rises at once over the sound just before it (energy in short
hops: for one band, what spectral flux measures). training.sound.onsets measures it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from scipy.signal import butter, sosfilt

from training.sound.blocks import SoundBlock
from training.sound.onsets import Floats, Measures, candidates, measure

#: Sticks are heard above this (Hz); steps, doors and voices mostly below.
CORNER = 1500.0
#: Energy is followed in hops of a millisecond. How many are judged at once, with how many before and after.
JUDGED, BEFORE, AFTER = 1000, 420, 180
#: A clip whose samples never exceed this (-66 dB) has a microphone that was off or not there.
SILENCE = 0.0005
#: Less confident ones are forgotten, and of very many the least confident.
LEAST_CONFIDENCE = 0.05
MOST_KEPT = 2000
#: Candidates of different channels so close (seconds) are one sound: a microphone 10 m away hears 30 ms late.
SAME_SOUND = 0.03


@dataclass(frozen=True, slots=True)
class Transient:
    """A sudden sound. `sample` counts as SoundBlock.first does; `strength` is its rise in dB."""

    sample: int
    sample_rate: int
    strength: float
    confidence: float  # 0 to 1: how much it is like a clap of slate sticks
    stream: int
    channel: int

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.sample, self.sample_rate)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was heard of a clip: transients in order of time, the loudest sample, and when there was sound."""

    transients: tuple[Transient, ...] = ()
    peak: float = 0.0
    spans: tuple[tuple[Fraction, Fraction], ...] = ()

    @property
    def audible(self) -> bool:
        return self.peak > SILENCE

    def covers(self, seconds: Fraction) -> bool:
        return any(start <= seconds <= end for start, end in self.spans)


def find_transients(blocks: Iterable[SoundBlock]) -> Hearing:
    """Listen to every channel of every stream; of the channels that hear a sound, the surest says when.

    The same samples give the same result, however they are cut into blocks.
    """
    ears: dict[int, _Ear] = {}
    for block in blocks:
        if block.stream not in ears:
            ears[block.stream] = _Ear(block.stream, block.sample_rate, block.samples.shape[0])
        ears[block.stream].take(block)
    for ear in ears.values():
        ear.finish()
    found = merged(transient for ear in ears.values() for transient in ear.found)
    return Hearing(
        transients=tuple(found),
        peak=max((ear.peak for ear in ears.values()), default=0.0),
        spans=tuple(span for ear in ears.values() for span in ear.spans),
    )


def merged(found: Iterable[Transient]) -> list[Transient]:
    """One transient for each sound, sorted by time: the surest of those that lie close together."""
    times: list[float] = []
    kept: list[Transient] = []
    for one in sorted(found, key=lambda t: (-t.confidence, t.seconds, t.stream, t.channel))[:MOST_KEPT]:
        at = float(one.seconds)
        place = bisect(times, at)
        if all(abs(at - other) > SAME_SOUND for other in times[max(0, place - 1) : place + 1]):
            times.insert(place, at)
            kept.append(one)
    return sorted(kept, key=lambda t: t.seconds)


@dataclass(eq=False)
class _Ear:
    """One stream: keeps a second and a half of it, and what was found so far."""

    stream: int
    rate: int
    channels: int
    found: list[Transient] = field(default_factory=list)
    spans: list[tuple[Fraction, Fraction]] = field(default_factory=list)
    peak: float = 0.0

    def __post_init__(self) -> None:
        self._hop = max(1, round(self.rate / 1000))
        corner = min(CORNER, 0.3 * self.rate)
        self._sos = butter(4, corner, "highpass", output="sos", fs=self.rate)
        self._start(0)

    def _start(self, first: int) -> None:
        """Begin a stretch of sound at this sample."""
        self._state = np.zeros((len(self._sos), self.channels, 2))
        self._high = np.zeros((self.channels, 0))
        self._full = np.zeros((self.channels, 0))
        self._began = self._at = self._end = first  # of the stretch, of what is held, of what came
        self._judge_from = 0  # hops of what is held that were judged or are the stretch's start

    def take(self, block: SoundBlock) -> None:
        if block.first != self._end:
            self.finish()
            self._start(block.first)
        self.peak = max(self.peak, float(np.abs(block.samples).max(initial=0.0)))
        full = block.samples.astype(np.float64)
        high, self._state = sosfilt(self._sos, full, axis=1, zi=self._state)
        self._full = np.concatenate([self._full, full], axis=1)
        self._high = np.concatenate([self._high, high], axis=1)
        self._end = block.end
        while self._high.shape[1] >= (self._judge_from + JUDGED + AFTER) * self._hop:
            self._judge(self._judge_from + JUDGED)

    def finish(self) -> None:
        """Judge what is left of the stretch; what follows its end is taken for silence."""
        if self._end == self._began:
            return
        hops = self._high.shape[1] // self._hop
        rest = np.zeros((self.channels, AFTER * self._hop))
        self._high = np.concatenate([self._high, rest], axis=1)
        self._full = np.concatenate([self._full, rest], axis=1)
        if hops > self._judge_from:
            self._judge(hops)
        self.spans.append((Fraction(self._began, self.rate), Fraction(self._end, self.rate)))
        self._start(self._end)

    def _judge(self, until: int) -> None:
        """Judge the hops before `until`, and let go of what is no longer needed."""
        for channel in range(self.channels):
            for hop in candidates(self._energy(channel), self._judge_from, until):
                self._keep(measure(self._high[channel], self._full[channel], hop, self._hop), channel)
        if len(self.found) > 2 * MOST_KEPT:
            self.found = sorted(self.found, key=lambda t: (-t.confidence, t.sample))[:MOST_KEPT]
        gone = max(0, until - BEFORE)
        self._high, self._full = self._high[:, gone * self._hop :], self._full[:, gone * self._hop :]
        self._at += gone * self._hop
        self._judge_from = until - gone

    def _energy(self, channel: int) -> Floats:
        hops = self._high.shape[1] // self._hop
        held = self._high[channel, : hops * self._hop].reshape(hops, self._hop)
        return np.asarray(np.einsum("ij,ij->i", held, held) / self._hop)

    def _keep(self, measured: Measures | None, channel: int) -> None:
        if measured is None or (confidence := measured.confidence) < LEAST_CONFIDENCE:
            return
        self.found.append(
            Transient(
                self._at + measured.onset,
                self.rate,
                round(measured.rise, 2),
                round(confidence, 4),
                self.stream,
                channel,
            )
        )
