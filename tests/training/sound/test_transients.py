"""Claps found in sound: to the sample, in any channel and rate, and little else."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from tests.training.clicking import click
from training.claps.fusion import CLEARLY, HEARD
from training.render.sound import Sound
from training.sound.blocks import SoundBlock
from training.sound.transients import Hearing, find_transients

RATE = 48_000


def blocks_of(samples: np.ndarray, *, rate: int = RATE, first: int = 0, size: int = 30_000, stream: int = 1):
    for at in range(0, samples.shape[1], size):
        yield SoundBlock(stream, rate, first + at, samples[:, at : at + size].astype(np.float32))


def room(seconds: float, *, rate: int = RATE, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, int(seconds * rate))) * 0.002


def clapped(*claps: int, rate: int = RATE, channels: int = 1, channel: int = 0) -> np.ndarray:
    samples = room(5, rate=rate, channels=channels)
    sound = click(rate // 20, 0.7)
    for clap in claps:
        end = min(samples.shape[1], clap + len(sound))
        samples[channel, clap:end] += sound[: end - clap]
    return samples


def likely(hearing: Hearing, least: float = 0.5) -> list[int]:
    return [one.sample for one in hearing.transients if one.confidence >= least]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000, 96_000])
def test_the_onset_is_exact_at_every_rate(rate: int) -> None:
    claps = [int(1.2345 * rate), int(3.5 * rate)]
    assert likely(find_transients(blocks_of(clapped(*claps, rate=rate), rate=rate))) == claps


@pytest.mark.parametrize("channel", [0, 2])
def test_the_channel_that_hears_it_best_says_when(channel: int) -> None:
    samples = clapped(100_000, channels=3, channel=channel)
    other = (channel + 1) % 3
    samples[other, 100_480:102_880] += 0.1 * click(2400, 0.7)  # 10 ms later and faint
    (found,) = [one for one in find_transients(blocks_of(samples)).transients if one.confidence > 0.5]
    assert (found.sample, found.channel, found.stream) == (100_000, channel, 1)


def test_one_clap_in_two_streams_of_other_rates_is_one_transient() -> None:
    one, other = clapped(96_000), clapped(88_200, rate=44_100)
    both = [*blocks_of(one), *blocks_of(other, rate=44_100, stream=2)]
    assert [found.seconds for found in find_transients(both).transients if found.confidence > 0.5] == [2]


def test_the_same_samples_in_other_blocks_give_the_same_result() -> None:
    samples = clapped(50_000, 51_000, 140_000) + np.stack([Sound((), 3).second(0).repeat(5)])
    results = [find_transients(blocks_of(samples, size=size)) for size in (1024, 47_999, 240_000)]
    assert results[0] == results[1] == results[2]
    assert results[0].transients


@pytest.mark.parametrize("first", [-50_000, 0, 123_456])
def test_samples_count_from_the_clips_first_frame(first: int) -> None:
    hearing = find_transients(blocks_of(clapped(100_000), first=first))
    assert likely(hearing) == [first + 100_000]
    assert hearing.spans == ((Fraction(first, RATE), Fraction(first + 5 * RATE, RATE)),)


@pytest.mark.parametrize("at", [2_000, 47_990, 48_010, 95_950, 237_000])
def test_claps_at_the_seams_and_at_both_ends_are_found(at: int) -> None:
    assert likely(find_transients(blocks_of(clapped(at)))) == [at]


def test_sound_that_starts_or_stops_is_no_clap() -> None:
    loud = np.random.default_rng(1).standard_normal((1, 96_000)) * 0.2
    silence = np.zeros((1, 96_000))
    assert likely(find_transients(blocks_of(loud))) == []
    assert likely(find_transients(blocks_of(np.concatenate([silence, loud, silence], axis=1)))) == []


def test_a_gap_in_the_sound_is_no_clap_and_claps_after_it_are_found() -> None:
    samples = clapped(30_000)
    blocks = [*blocks_of(samples), *blocks_of(samples, first=10 * RATE)]
    hearing = find_transients(blocks)
    assert likely(hearing) == [30_000, 10 * RATE + 30_000]
    assert not hearing.covers(Fraction(7)) and hearing.covers(Fraction(11))


def tones(*frequencies: float, decay: float, attack: float) -> np.ndarray:
    samples = room(5)
    time = np.arange(RATE) / RATE
    sound = sum(np.sin(2 * np.pi * f * time) for f in frequencies) * np.exp(-time / decay)
    samples[0, 100_000 : 100_000 + RATE] += 0.3 * sound * np.clip(time / attack, 0, 1)
    return samples


OTHER = {
    "a thump": tones(70, 130, decay=0.1, attack=0.003),
    "a note": tones(440, 880, decay=0.8, attack=0.02),
    "a ringing glass": tones(2100, 5300, decay=0.3, attack=0.0005),
    "a vowel": tones(*(150 * n for n in range(1, 20)), decay=0.2, attack=0.04),
}


@pytest.mark.parametrize("samples", OTHER.values(), ids=list(OTHER))
def test_other_sounds_are_not_taken_for_claps(samples: np.ndarray) -> None:
    assert likely(find_transients(blocks_of(samples))) == []


@pytest.mark.parametrize("level", [0.0, 0.0003])
def test_silence_is_not_audible(level: float) -> None:
    hearing = find_transients(blocks_of(np.full((2, 96_000), level)))
    assert not hearing.audible
    assert likely(hearing) == []


def test_nothing_is_heard_of_nothing() -> None:
    hearing = find_transients([])
    assert (hearing, hearing.audible) == (Hearing(), False)


def test_a_busy_set_hides_few_claps_and_sounds_like_one_rarely() -> None:
    """Where a clap is seen, less will do than where none is: see training.claps.fusion."""
    found = false = 0
    for seed in range(6):
        claps = (130_000, 400_000)
        sound = Sound(claps, seed, busy=True)
        hearing = find_transients(SoundBlock(0, RATE, n * RATE, sound.second(n)[None]) for n in range(11))
        found += sum(any(abs(at - clap) < RATE / 100 for at in likely(hearing, HEARD)) for clap in claps)
        false += sum(all(abs(at - clap) > RATE / 20 for clap in claps) for at in likely(hearing, CLEARLY))
    assert found >= 8
    assert false == 0


def test_many_transients_are_kept_in_bounds_and_in_order() -> None:
    samples = clapped(*range(5_000, 235_000, 5_000))
    seconds = [one.seconds for one in find_transients(blocks_of(samples)).transients]
    assert all(b - a > Fraction(30, 1000) for a, b in pairwise(seconds))
    assert len(seconds) >= 40
